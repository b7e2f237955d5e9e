// refused: give the callable a name first
#include <extproc/async.h>

#include <string>

extproc::Task<> handler(std::string text) {
#ifdef WITHOUT_THE_MISTAKE
  co_await extproc::offload([&] { return text.size(); });
#else
  co_await extproc::offload([text] { return text.size(); });
#endif
}
