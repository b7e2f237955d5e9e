#include "extproc/handlers.h"

#include <string>
#include <utility>

#include "extproc/error.h"
#include "processor/blocking_dispatcher.h"

namespace extproc {

Handlers::Handlers(std::string name) : name_(std::move(name)) {
  if (name_.empty()) throw Error("Handlers need a name: it is what logs and the chain header show");
}

void Handlers::add(Phase phase, Function function) {
  auto& slot = functions_[static_cast<std::size_t>(phase)];
  if (slot)
    throw Error(name_ + ": process<Phase::" + std::string(to_string(phase)) +
                "> was registered twice");
  slot = std::move(function);
}

Handlers& Handlers::on_complete(std::function<void(const Completed&, Context&, Request&)> told) {
  if (on_complete_) throw Error(name_ + ": on_complete was registered twice");
  on_complete_ = std::move(told);
  traits_.completes = on_complete_ != nullptr;
  return *this;
}

PhaseSet Handlers::handled_phases() const {
  PhaseSet phases;
  for (std::size_t i = 0; i < kPhaseCount; ++i) {
    if (functions_[i]) phases.insert(static_cast<Phase>(i));
  }
  return phases;
}

namespace detail {

class HandlersDispatcher final : public Dispatcher {
 public:
  explicit HandlersDispatcher(std::shared_ptr<Handlers> handlers)
      : Dispatcher(handlers->name(), handlers->handled_phases(), handlers->suspends_,
                   handlers->streamed_, handlers->traits_),
        handlers_(std::move(handlers)) {}

  Step call(Invocation& invocation) const override {
    return handlers_->functions_[static_cast<std::size_t>(invocation.phase)](invocation);
  }

  void complete(const Completed& how, Context& context, Request& request) const override {
    handlers_->on_complete_(how, context, request);
  }
  Needs needs() const override { return handlers_->needs_; }
  void start() const override {
    if (handlers_->start_) handlers_->start_();
  }
  void stop() const override {
    if (handlers_->stop_) handlers_->stop_();
  }
  bool ready() const override { return !handlers_->ready_ || handlers_->ready_(); }

  static bool blocking(const Handlers& handlers) {
    if (handlers.blocking_ && handlers.suspends_) {
      throw Error(handlers.name() +
                  ": blocking() is for plain functions; in a coroutine use co_await offload(...)");
    }
    return handlers.blocking_;
  }

 private:
  std::shared_ptr<Handlers> handlers_;
};

std::shared_ptr<const Dispatcher> make_handlers_dispatcher(std::shared_ptr<Handlers> handlers) {
  if (handlers->handled_phases().empty()) {
    throw Error(handlers->name() +
                " has no handler: register one with process<Phase::...>(...) before it is served");
  }
  const bool blocking = HandlersDispatcher::blocking(*handlers);
  std::shared_ptr<const Dispatcher> dispatcher =
      std::make_shared<HandlersDispatcher>(std::move(handlers));
  return blocking ? make_blocking(std::move(dispatcher)) : dispatcher;
}

}  // namespace detail
}  // namespace extproc
