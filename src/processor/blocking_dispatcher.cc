#include "processor/blocking_dispatcher.h"

#include <array>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/access.h"
#include "extproc/context.h"
#include "extproc/detail/blocking_pool.h"
#include "extproc/detail/event_loop.h"
#include "extproc/error.h"
#include "extproc/response.h"

namespace extproc::detail {
namespace {

class BlockingDispatcher final : public Dispatcher {
 public:
  explicit BlockingDispatcher(std::shared_ptr<const Dispatcher> dispatcher)
      : Dispatcher(dispatcher->name(), dispatcher->phases(), true, {}, dispatcher->traits()),
        dispatcher_(std::move(dispatcher)) {}

  bool blocks() const override { return true; }

  void complete(const Completed& how, Context& context, Request& request) const override {
    dispatcher_->complete(how, context, request);
  }
  Needs needs() const override { return dispatcher_->needs(); }
  void start() const override { dispatcher_->start(); }
  void stop() const override { dispatcher_->stop(); }
  bool ready() const override { return dispatcher_->ready(); }

  Step call(Invocation& invocation) const override {
    EventLoop& loop = *Access::loop(*invocation.context);
    // Copied, since only what it points to outlives this call.
    auto handler = std::make_unique<Handler>(*dispatcher_, invocation, loop);
    Access::listen_to_fallback(response_of(invocation), handler.get());
    loop.blocking.submit(*handler, loop.executor,
                         times_[static_cast<std::size_t>(invocation.phase)],
                         invocation.completion->time_left());
    handler.release()->withdraw_when_stopped();  // ended() deletes it
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

  class Handler final : public BlockingJob, public FallbackListener {
   public:
    Handler(const Dispatcher& dispatcher, const Invocation& call, EventLoop& loop)
        : dispatcher_(dispatcher), call_(call), loop_(loop) {}

    void withdraw_when_stopped() {
      on_stop_.emplace(call_.context->cancellation(), Withdraw{this});
    }

   private:
    struct Withdraw {
      Handler* handler;
      void operator()() const { handler->loop_.blocking.withdraw(*handler); }
    };

    void run() noexcept override {
      try {
        dispatcher_.call(call_);
      } catch (...) {
        failure_ = std::current_exception();
      }
    }

    void ended(End how) noexcept override {
      Completion& completion = *call_.completion;
      if (how == End::refused) {
        completion.on_refused();
        failure_ = std::make_exception_ptr(Overloaded(kRefused));
      }
      if (outlasted()) completion.on_outlasted(took());
      std::exception_ptr failure = std::move(failure_);
      delete this;
      completion.complete(std::move(failure));
    }

    // The loop's thread runs this before ended(), which is posted behind it.
    void on_fallback(Fallback fallback) override {
      boost::asio::post(loop_.executor,
                        [completion = call_.completion, fallback = std::move(fallback)] {
                          completion->set_fallback(fallback);
                        });
    }

    const Dispatcher& dispatcher_;
    Invocation call_;
    EventLoop& loop_;
    std::exception_ptr failure_;
    std::optional<std::stop_callback<Withdraw>> on_stop_;
  };

  std::shared_ptr<const Dispatcher> dispatcher_;
  mutable std::array<ServiceTime, kPhaseCount> times_;
};

}  // namespace

std::shared_ptr<const Dispatcher> make_blocking(std::shared_ptr<const Dispatcher> dispatcher) {
  return std::make_shared<BlockingDispatcher>(std::move(dispatcher));
}

}  // namespace extproc::detail
