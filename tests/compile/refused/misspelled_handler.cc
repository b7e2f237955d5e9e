// refused: does not override
#include <extproc/extproc.h>

#ifdef WITHOUT_THE_MISTAKE
#define HANDLER process_request_headers
#else
#define HANDLER process_request_header
#endif

class Misspelled : public extproc::Processor {
 public:
  void HANDLER(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
               extproc::HeadersResponse&) override {}
};

int main() { return extproc::serve<Misspelled>(); }
