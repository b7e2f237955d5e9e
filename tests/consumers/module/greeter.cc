#include <extproc/extproc.h>

class Greeter : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse& response) override {
    response.set_header("x-greeting", "hello");
  }
};
EXTPROC_EXPORT(Greeter);
