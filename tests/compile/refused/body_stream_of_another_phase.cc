// refused: a handler takes .data, context, request, response.
#include <extproc/async.h>

int main() {
  extproc::Handlers service{"Service"};
#ifdef WITHOUT_THE_MISTAKE
  service.process<extproc::Phase::response_body>(
#else
  service.process<extproc::Phase::response_headers>(
#endif
      [](extproc::BodyStream&, extproc::Context&, extproc::Request&) -> extproc::Task<> {
        co_return;
      });
  return extproc::serve(service);
}
