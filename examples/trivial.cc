// Adds one header to the request and one to the response: both the request id, under another name.
#include <extproc/extproc.h>

namespace {

class TrivialExtProcService : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    response.set_header("x-extra-request-id", request.id());
  }

  void process_response_headers(const extproc::HttpHeaders&, extproc::Context&,
                                extproc::Request& request,
                                extproc::HeadersResponse& response) override {
    response.set_header("x-extra-request-id", request.id());
  }
};

}  // namespace

EXTPROC_EXPORT(TrivialExtProcService)
