// refused: the phases of a processor are read from its concrete type
#include <extproc/extproc.h>

class Known : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse&) override {}
};

int main() {
  Known processor;
#ifdef WITHOUT_THE_MISTAKE
  Known& reference = processor;
#else
  extproc::Processor& reference = processor;
#endif
  return extproc::serve(reference);
}
