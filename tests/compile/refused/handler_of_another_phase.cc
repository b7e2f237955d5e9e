// refused: a handler takes \(data, context, request, response\)
#include <extproc/extproc.h>

int main() {
  extproc::Handlers service{"Service"};
#ifdef WITHOUT_THE_MISTAKE
  service.process<extproc::Phase::request_body>(
#else
  service.process<extproc::Phase::request_headers>(
#endif
      [](const extproc::HttpBody&, extproc::Context&, extproc::Request&, extproc::BodyResponse&) {
      });
  return extproc::serve(service);
}
