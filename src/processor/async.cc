#include "extproc/async.h"

#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "base/access.h"
#include "extproc/detail/event_loop.h"
#include "extproc/error.h"

namespace extproc {

AsyncProcessor::~AsyncProcessor() = default;
Task<> AsyncProcessor::process_request_headers(const HttpHeaders&, Context&, Request&,
                                               HeadersResponse&) {
  co_return;
}
Task<> AsyncProcessor::process_request_body(const HttpBody&, Context&, Request&, BodyResponse&) {
  co_return;
}
Task<> AsyncProcessor::process_request_trailers(const HttpTrailers&, Context&, Request&,
                                                TrailersResponse&) {
  co_return;
}
Task<> AsyncProcessor::process_response_headers(const HttpHeaders&, Context&, Request&,
                                                HeadersResponse&) {
  co_return;
}
Task<> AsyncProcessor::process_response_body(const HttpBody&, Context&, Request&, BodyResponse&) {
  co_return;
}
Task<> AsyncProcessor::process_response_trailers(const HttpTrailers&, Context&, Request&,
                                                 TrailersResponse&) {
  co_return;
}

Task<> AsyncProcessor::stream_request_body(BodyStream&, Context&, Request&) { co_return; }
Task<> AsyncProcessor::stream_response_body(BodyStream&, Context&, Request&) { co_return; }
void AsyncProcessor::on_complete(const Completed&, Context&, Request&) {}
Needs AsyncProcessor::needs() const { return {}; }
void AsyncProcessor::start() {}
void AsyncProcessor::stop() {}
void AsyncProcessor::reload(const OwnSettings&) {
  throw Error(name() + " cannot change its settings while it runs");
}

std::string AsyncProcessor::name() const { return detail::class_name(typeid(*this)); }

boost::asio::any_io_executor executor(const Context& context) {
  return detail::Access::loop(context)->executor;
}

namespace detail {
namespace {

/// The outermost coroutine of one handler call, from its start to its return; it owns itself once
/// it is suspended.
class RunningTask final : private TaskOwner {
 public:
  static Step start(Task<> task, const Invocation& invocation) {
    auto running = std::make_unique<RunningTask>(std::move(task), invocation);
    if (Access::start(running->task_, running->context_, *running)) {
      if (auto failure = Access::take_failure(running->task_)) std::rethrow_exception(failure);
      return Step::done;
    }
    running->cancel_when_stopped(invocation.context->cancellation());
    static_cast<void>(running.release());  // on_task_done() deletes it
    return Step::pending;
  }

  RunningTask(Task<> task, const Invocation& invocation)
      : task_(std::move(task)),
        completion_(invocation.completion),
        context_{*Access::loop(*invocation.context), *invocation.completion} {}

 private:
  struct Cancel {
    RunningTask* task;
    void operator()() const {
      task->context_.cancelled = true;
      task->context_.cancel.emit(boost::asio::cancellation_type::terminal);
    }
  };

  void cancel_when_stopped(std::stop_token token) {
    on_stop_.emplace(std::move(token), Cancel{this});
  }

  void on_task_done() noexcept override {
    std::exception_ptr failure = Access::take_failure(task_);
    Completion* completion = completion_;
    delete this;
    completion->complete(std::move(failure));
  }

  Task<> task_;
  Completion* completion_;
  TaskContext context_;
  std::optional<std::stop_callback<Cancel>> on_stop_;
};

class AsyncDispatcher final : public Dispatcher {
 public:
  AsyncDispatcher(std::shared_ptr<AsyncProcessor> processor, PhaseSet phases, PhaseSet streamed,
                  Traits traits)
      : Dispatcher(processor->name(), phases, true, streamed, traits),
        processor_(std::move(processor)) {}

  Step call(Invocation& i) const override { return start_task(make_task(i), i); }

  void complete(const Completed& how, Context& context, Request& request) const override {
    processor_->on_complete(how, context, request);
  }
  Needs needs() const override { return processor_->needs(); }
  void start() const override { processor_->start(); }
  void stop() const override { processor_->stop(); }
  bool ready() const override { return processor_->ready(); }

 private:
  Task<> make_task(Invocation& i) const {
    switch (i.phase) {
      case Phase::request_headers:
        return processor_->process_request_headers(*i.headers, *i.context, *i.request,
                                                   *i.headers_response);
      case Phase::request_body:
        if (i.body_stream != nullptr)
          return processor_->stream_request_body(*i.body_stream, *i.context, *i.request);
        return processor_->process_request_body(*i.body, *i.context, *i.request, *i.body_response);
      case Phase::request_trailers:
        return processor_->process_request_trailers(*i.trailers, *i.context, *i.request,
                                                    *i.trailers_response);
      case Phase::response_headers:
        return processor_->process_response_headers(*i.headers, *i.context, *i.request,
                                                    *i.headers_response);
      case Phase::response_body:
        if (i.body_stream != nullptr)
          return processor_->stream_response_body(*i.body_stream, *i.context, *i.request);
        return processor_->process_response_body(*i.body, *i.context, *i.request, *i.body_response);
      case Phase::response_trailers:
        break;
    }
    return processor_->process_response_trailers(*i.trailers, *i.context, *i.request,
                                                 *i.trailers_response);
  }

  std::shared_ptr<AsyncProcessor> processor_;
};

}  // namespace

Step start_task(Task<> task, const Invocation& invocation) {
  return RunningTask::start(std::move(task), invocation);
}

std::shared_ptr<const Dispatcher> make_async_dispatcher(std::shared_ptr<AsyncProcessor> processor,
                                                        PhaseSet phases, PhaseSet streamed,
                                                        Traits traits) {
  Dispatcher::Reload reload;
  if (traits.reloads)
    reload = [processor](const OwnSettings& settings) { processor->reload(settings); };
  auto dispatcher =
      std::make_shared<const AsyncDispatcher>(std::move(processor), phases, streamed, traits);
  dispatcher->set_reload(std::move(reload));
  return dispatcher;
}

}  // namespace detail
}  // namespace extproc
