// Answers the caller itself, without asking the upstream: a request with a truthy x-echo-only gets
// its own headers and body back.
#include <extproc/extproc.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

bool is_truthy(std::string_view value) {
  constexpr std::array kFalse = {"", "0", "false", "False", "FALSE", "no", "off"};
  return std::find(kFalse.begin(), kFalse.end(), value) == kFalse.end();
}

// What belongs to the request's own connection and framing, and not to a response.
bool can_be_echoed(std::string_view name) {
  constexpr std::array kNever = {"host", "content-length", "transfer-encoding", "connection",
                                 "expect"};
  return !name.starts_with(':') && std::find(kNever.begin(), kNever.end(), name) == kNever.end();
}

class EchoExtProcService : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                               extproc::Request& request, extproc::HeadersResponse&) override {
    if (!is_truthy(headers.value("x-echo-only").value_or(""))) return;
    auto& echoed = request.state<HeaderList>();
    for (const auto& [name, value] : headers) {
      if (can_be_echoed(name)) echoed.emplace_back(name, value);
    }
    if (headers.end_of_stream()) echo(echoed, {});
  }

  void process_request_body(const extproc::HttpBody& body, extproc::Context&,
                            extproc::Request& request, extproc::BodyResponse&) override {
    const auto& echoed = request.state<HeaderList>();
    if (!echoed.empty()) echo(echoed, body.bytes());
  }

 private:
  [[noreturn]] static void echo(const HeaderList& headers, std::string_view body) {
    throw extproc::StopRequestProcessing(
        extproc::form_immediate_response(200, headers, std::string(body)));
  }
};

}  // namespace

EXTPROC_EXPORT(EchoExtProcService)
