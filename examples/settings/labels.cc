#include <extproc/extproc.h>

#include <string>
#include <utility>

namespace {

/// Adds a header to each request, which its own settings name.
class Label final : public extproc::Processor {
 public:
  explicit Label(const extproc::OwnSettings& settings)
      : name_(settings.get_or<std::string>("header", "x-label")),
        value_(settings.get<std::string>("value")) {}

  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse& response) override {
    response.set_header(name_, value_);
  }

 private:
  const std::string name_;
  const std::string value_;
};

}  // namespace

EXTPROC_EXPORT(Label)
