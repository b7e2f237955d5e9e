// refused: the processor overrides none of process_request_headers
#include <extproc/extproc.h>

class Nothing : public extproc::Processor {
 public:
#ifdef WITHOUT_THE_MISTAKE
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse&) override {}
#endif
};

int main() { return extproc::serve<Nothing>(); }
