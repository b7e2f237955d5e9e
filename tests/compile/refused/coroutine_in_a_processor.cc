// refused: process_request_headers
#include <extproc/async.h>

#ifdef WITHOUT_THE_MISTAKE
class Coroutine : public extproc::AsyncProcessor {
#else
class Coroutine : public extproc::Processor {
#endif
 public:
  extproc::Task<> process_request_headers(const extproc::HttpHeaders&, extproc::Context&,
                                          extproc::Request&, extproc::HeadersResponse&) override {
    co_return;
  }
};

int main() { return extproc::serve<Coroutine>(); }
