// refused: a Task can be awaited in a Task only
#include <extproc/async.h>

struct Other {
  struct promise_type {
    Other get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() {}
  };
};

extproc::Task<> task() { co_return; }

#ifdef WITHOUT_THE_MISTAKE
extproc::Task<> waits() { co_await task(); }
#else
Other waits() { co_await task(); }
#endif
