// Processors with settings of their own.
#include <extproc/async.h>
#include <extproc/extproc.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace test_processors {
namespace {

/// Answers each request with what its settings say.
class Own final : public extproc::AsyncProcessor {
 public:
  explicit Own(const extproc::OwnSettings& settings) : value_(read(settings)) {}

  void reload(const extproc::OwnSettings& settings) override {
    std::this_thread::sleep_for(settings.get_or<std::chrono::milliseconds>("slow", {}));
    auto value = read(settings);
    if (*value == "refused") throw std::runtime_error("no such value");
    value_ = std::move(value);
  }

  extproc::Task<> process_request_headers(const extproc::HttpHeaders&, extproc::Context&,
                                          extproc::Request&,
                                          extproc::HeadersResponse& response) override {
    response.set_header("x-own", *value_.load());
    co_return;
  }

 private:
  static std::shared_ptr<const std::string> read(const extproc::OwnSettings& settings) {
    return std::make_shared<const std::string>(settings.get<std::string>("value"));
  }

  std::atomic<std::shared_ptr<const std::string>> value_;
};

/// The same, and it cannot change.
extproc::Handlers fixed(const extproc::OwnSettings& settings) {
  extproc::Handlers handlers("FixedOwn");
  handlers.process<extproc::Phase::request_headers>(
      [value = settings.get_or<std::string>("value", "none")](auto&, auto&, auto&, auto& response) {
        response.set_header("x-fixed", value);
      });
  return handlers;
}

}  // namespace

EXTPROC_EXPORT(Own)
EXTPROC_EXPORT_AS(FixedOwn, fixed)

}  // namespace test_processors
