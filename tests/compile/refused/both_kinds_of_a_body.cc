// refused: not by both
#include <extproc/async.h>

class Both : public extproc::AsyncProcessor {
 public:
#ifndef WITHOUT_THE_MISTAKE
  extproc::Task<> process_request_body(const extproc::HttpBody&, extproc::Context&,
                                       extproc::Request&, extproc::BodyResponse&) override {
    co_return;
  }
#endif
  extproc::Task<> process_response_body(const extproc::HttpBody&, extproc::Context&,
                                        extproc::Request&, extproc::BodyResponse&) override {
    co_return;
  }
  extproc::Task<> stream_request_body(extproc::BodyStream&, extproc::Context&,
                                      extproc::Request&) override {
    co_return;
  }
};

int main() { return extproc::serve<Both>(); }
