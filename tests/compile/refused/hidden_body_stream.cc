// refused: must each be one public member function
#include <extproc/async.h>

class Hidden : public extproc::AsyncProcessor {
#ifdef WITHOUT_THE_MISTAKE
 public:
#endif
  extproc::Task<> stream_request_body(extproc::BodyStream&, extproc::Context&,
                                      extproc::Request&) override {
    co_return;
  }
};

int main() { return extproc::serve<Hidden>(); }
