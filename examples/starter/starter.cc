#include <extproc/extproc.h>

#include <string>

// Says hello: tells the upstream who calls, and the caller which request it was.
class Starter : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                               extproc::Request&, extproc::HeadersResponse& response) override {
    response.set_header("x-starter-caller", headers.value("user-agent").value_or("unknown"));
  }

  void process_response_headers(const extproc::HttpHeaders&, extproc::Context&,
                                extproc::Request& request,
                                extproc::HeadersResponse& response) override {
    response.set_header("x-starter-request", request.id());
  }
};
EXTPROC_EXPORT(Starter)
