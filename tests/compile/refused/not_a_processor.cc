// refused: not a processor: derive from extproc::Processor
#include <extproc/extproc.h>

#ifdef WITHOUT_THE_MISTAKE
class Stranger : public extproc::Processor {
#else
class Stranger {
#endif
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse&) {}
};

int main() { return extproc::serve<Stranger>(); }
