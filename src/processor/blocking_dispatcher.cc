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
    // The copy: the stream's own Invocation need not outlive this call, what it points to does.
    boost::asio::post(
        loop.blocking.get(),
        [this, call = invocation, back = boost::asio::make_work_guard(loop.executor)]() mutable {
          std::exception_ptr failure;
          try {
            dispatcher_->call(call);
          } catch (...) {
            failure = std::current_exception();
          }
          // The executor first: the moment the completion is posted, the loop may go on to its end.
          auto executor = back.get_executor();
          boost::asio::post(executor, [completion = call.completion, failure = std::move(failure),
                                       keep = std::move(back)] { completion->complete(failure); });
        });
    return Step::pending;
  }

 private:
  std::shared_ptr<const Dispatcher> dispatcher_;
};

}  // namespace

std::shared_ptr<const Dispatcher> make_blocking(std::shared_ptr<const Dispatcher> dispatcher) {
  return std::make_shared<BlockingDispatcher>(std::move(dispatcher));
}

}  // namespace extproc::detail
