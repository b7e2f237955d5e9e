// refused: reset.* is private within this context
#include <extproc/extproc.h>

class Fresh : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse& response) override {
#ifdef WITHOUT_THE_MISTAKE
    response.respond({.status = 403});
#else
    response.reset();
#endif
  }
};

int main() { return extproc::serve<Fresh>(); }
