#include "processor/blocking_dispatcher.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "extproc/context.h"
#include "extproc/detail/event_loop.h"

namespace extproc::detail {
namespace {

class BlockingDispatcher final : public Dispatcher {
 public:
  explicit BlockingDispatcher(std::shared_ptr<const Dispatcher> dispatcher)
      : Dispatcher(dispatcher->name(), dispatcher->phases(), true),
        dispatcher_(std::move(dispatcher)) {}

  Step call(Invocation& invocation) const override {
    EventLoop& loop = *ContextAccess::loop(*invocation.context);
    // Copied, since only what it points to outlives this call.
    auto handler = std::make_shared<Handler>(Handler{*dispatcher_, invocation, nullptr});
    run_blocking(
        loop, [handler] { handler->run(); },
        [handler] { handler->call.completion->complete(std::move(handler->failure)); });
    return Step::pending;
  }

 private:
  struct Handler {
    const Dispatcher& dispatcher;
    Invocation call;
    std::exception_ptr failure;

    void run() noexcept {
      try {
        dispatcher.call(call);
      } catch (...) {
        failure = std::current_exception();
      }
    }
  };

  std::shared_ptr<const Dispatcher> dispatcher_;
};

}  // namespace

std::shared_ptr<const Dispatcher> make_blocking(std::shared_ptr<const Dispatcher> dispatcher) {
  return std::make_shared<BlockingDispatcher>(std::move(dispatcher));
}

}  // namespace extproc::detail
