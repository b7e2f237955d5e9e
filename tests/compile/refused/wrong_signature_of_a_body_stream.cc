// refused: member is Task<> .BodyStream&, Context&, Request&.
#include <extproc/async.h>

class Wrong : public extproc::AsyncProcessor {
 public:
#ifdef WITHOUT_THE_MISTAKE
  extproc::Task<> stream_response_body(extproc::BodyStream&, extproc::Context&, extproc::Request&){
#else
  extproc::Task<> stream_response_body(extproc::BodyStream&, extproc::Context&) {
#endif
      co_return;
}
}
;

int main() { return extproc::serve<Wrong>(); }
