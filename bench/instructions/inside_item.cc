#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "envoy/kit/inside/hooks.h"
#include "extproc/detail/module_registry.h"
#include "filter/abi.h"
#include "items.h"
#include "measured.h"
#include "processor_under_test.h"
#include "quick_envoy.h"

namespace bench {
namespace {

namespace abi = extproc::filter::abi;

/// A filter's configuration, and a stream of it after the other.
class State {
 public:
  explicit State(const std::string& config)
      : config_(
            EXTPROC_HOOK_NAME(http_filter_config_new)(this, abi::bytes(""), abi::bytes(config))) {
    if (config_ == nullptr) throw std::runtime_error("the filter takes no configuration");
  }
  ~State() { EXTPROC_HOOK_NAME(http_filter_config_destroy)(config_); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void run() {
    changes = 0;
    {
      const Measured here;
      const void* const filter = EXTPROC_HOOK_NAME(http_filter_new)(config_, this);
      EXTPROC_HOOK_NAME(http_filter_request_headers)(this, filter, true);
      EXTPROC_HOOK_NAME(http_filter_response_headers)(this, filter, true);
      EXTPROC_HOOK_NAME(http_filter_stream_complete)(this, filter);
      EXTPROC_HOOK_NAME(http_filter_destroy)(filter);
    }
    if (changes < 2) throw std::runtime_error("the headers were not changed");
  }

 private:
  const void* const config_;
};

}  // namespace

Item request_inside() {
  return {"a request inside Envoy",
          [state = std::make_shared<State>(R"({"processors": [{"name": "Headers"}]})")] {
            state->run();
          }};
}

}  // namespace bench

EXTPROC_EXPORT_AS(Headers, extproc::detail::MakeExported<bench::ProcessorUnderTest::Headers>{})
