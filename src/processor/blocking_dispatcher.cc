#include "processor/blocking_dispatcher.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "base/access.h"
#include "extproc/context.h"
#include "extproc/detail/event_loop.h"
#include "extproc/response.h"

namespace extproc::detail {
namespace {

class BlockingDispatcher final : public Dispatcher {
 public:
  explicit BlockingDispatcher(std::shared_ptr<const Dispatcher> dispatcher)
      : Dispatcher(dispatcher->name(), dispatcher->phases(), true),
        dispatcher_(std::move(dispatcher)) {}

  bool blocks() const override { return true; }

  Step call(Invocation& invocation) const override {
    EventLoop& loop = *Access::loop(*invocation.context);
    // Copied, since only what it points to outlives this call.
    auto handler = std::make_shared<Handler>(*dispatcher_, invocation, loop);
    Access::listen_to_fallback(response_of(invocation), handler.get());
    run_blocking(
        loop, [handler] { handler->run(); },
        [handler] { handler->call.completion->complete(std::move(handler->failure)); });
    return Step::pending;
  }

 private:
  static PhaseResponse& response_of(const Invocation& call) {
    switch (call.phase) {
      case Phase::request_headers:
      case Phase::response_headers:
        return *call.headers_response;
      case Phase::request_body:
      case Phase::response_body:
        return *call.body_response;
      default:
        return *call.trailers_response;
    }
  }

  struct Handler final : FallbackListener {
    Handler(const Dispatcher& to, const Invocation& invocation, EventLoop& its_loop)
        : dispatcher(to), call(invocation), loop(its_loop) {}

    const Dispatcher& dispatcher;
    Invocation call;
    EventLoop& loop;
    std::exception_ptr failure;

    // The loop's thread runs this before the completion, which is posted behind it.
    void on_fallback(Fallback fallback) override {
      boost::asio::post(loop.executor,
                        [completion = call.completion, fallback = std::move(fallback)] {
                          completion->set_fallback(fallback);
                        });
    }

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
