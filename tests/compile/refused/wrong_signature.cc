// refused: has another signature than the handler of that phase
#include <extproc/extproc.h>

class Wrong : public extproc::Processor {
 public:
#ifdef WITHOUT_THE_MISTAKE
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse&) {}
#else
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&,
                               extproc::HeadersResponse&) {}
#endif
};

int main() { return extproc::serve<Wrong>(); }
