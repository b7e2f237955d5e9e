// refused: a handler over a whole body is a coroutine
#include <extproc/async.h>

int main() {
  extproc::Handlers service{"Service"};
  service.process<extproc::Phase::request_body>(
#ifdef WITHOUT_THE_MISTAKE
      [](extproc::BodyStream& body, extproc::Context&, extproc::Request&) -> extproc::Task<> {
        body.write("x");
        co_return;
      });
#else
      [](extproc::BodyStream& body, extproc::Context&, extproc::Request&) { body.write("x"); });
#endif
  return extproc::serve(service);
}
