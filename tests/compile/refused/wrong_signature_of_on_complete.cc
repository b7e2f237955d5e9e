// refused: an on_complete member is void
#include <extproc/extproc.h>

class Forgetful : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse&) override {}
#ifdef WITHOUT_THE_MISTAKE
  void on_complete(const extproc::Completed&, extproc::Context&, extproc::Request&) override {}
#else
  void on_complete(const extproc::Completed&, extproc::Request&) {}
#endif
};

int main() { return extproc::serve<Forgetful>(); }
