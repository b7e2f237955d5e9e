#include <extproc/extproc.h>

#include <algorithm>
#include <string>

/// Changes the text of responses, which must not be compressed for that.
class PlainBodies : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& /*headers*/,
                               extproc::Context& /*context*/, extproc::Request& /*request*/,
                               extproc::HeadersResponse& response) override {
    response.remove_header("accept-encoding");
  }

  void process_response_headers(const extproc::HttpHeaders& headers, extproc::Context& /*context*/,
                                extproc::Request& request,
                                extproc::HeadersResponse& /*response*/) override {
    // Some compress without being asked to.
    request.state<bool>() = !headers.value("content-encoding");
  }

  void process_response_body(const extproc::HttpBody& body, extproc::Context& /*context*/,
                             extproc::Request& request, extproc::BodyResponse& response) override {
    if (!request.state<bool>()) return;
    std::string text(body.bytes());
    std::ranges::replace(text, 'a', 'A');
    response.replace_body(text);
  }
};

EXTPROC_EXPORT(PlainBodies)
