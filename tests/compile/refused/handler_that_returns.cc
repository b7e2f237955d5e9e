// refused: a handler returns void
#include <extproc/extproc.h>

int main() {
  extproc::Handlers service{"Service"};
  service.process<extproc::Phase::request_headers>([](auto&, auto&, auto&, auto& response) {
    response.set_header("a", "b");
#ifndef WITHOUT_THE_MISTAKE
    return &response;
#endif
  });
  return extproc::serve(service);
}
