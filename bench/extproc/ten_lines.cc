#include <extproc/extproc.h>

class TagRequests : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    response.set_header("x-tagged", request.id());
  }
};

int main() { return extproc::serve<TagRequests>(); }
