#include "extproc/host.h"

#include <utility>

#include "base/access.h"
#include "chain/chain_exchange.h"
#include "exchange/processor_exchange.h"
#include "extproc/error.h"
#include "host/access.h"
#include "host/exchange_log.h"
#include "log/make_logger.h"

namespace extproc {
namespace host {

Host::Inside::Inside(const Service& processor, Settings its_settings, detail::EventLoop* loop,
                     Logger its_logger, const exchange::Watchers& watchers)
    : dispatcher(detail::Access::dispatcher(processor)),
      settings(std::move(its_settings)),
      logger(std::move(its_logger)),
      environment{.dispatcher = *dispatcher,
                  .settings = settings,
                  .logger = logger,
                  .counters = counters,
                  .loop = dispatcher->suspends() ? loop : nullptr} {
  std::vector<Observer*> observers{settings.observer};
  observers.insert(observers.end(), settings.observers.begin(), settings.observers.end());
  std::erase(observers, nullptr);
  settings.measures |= !observers.empty() || dispatcher->traits().completes;
  if (!observers.empty() || watchers.metrics || watchers.tracer != nullptr)
    environment.watch = &watch.emplace(dispatcher->name(), std::move(observers), watchers);
  settings.early_end &= dispatcher->traits().early_end;
  for (std::size_t link = 0; link < dispatcher->links().size(); ++link)
    links.push_back(std::make_unique<chain::LinkSurroundings>(environment, link));
}

Host::Host(const Service& processor, Settings settings, detail::EventLoop* loop) {
  if (loop == nullptr && detail::Access::dispatcher(processor)->suspends()) {
    throw Error("the handlers of \"" + processor.name() +
                "\" can wait: give the Host an event loop (extproc/host_loop.h)");
  }
  Logger logger = log::make_logger(settings.log_level, {.sink = settings.log});
  inside_ = std::make_unique<Inside>(processor, std::move(settings), loop, std::move(logger),
                                     exchange::Watchers());
}

Host::Host(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}

Host::~Host() = default;

std::unique_ptr<Exchange> Host::make_exchange(AnswerSink& sink, Control& control) {
  Inside& in = *inside_;
  const auto make = [&](AnswerSink& answers) -> std::unique_ptr<exchange::BaseExchange> {
    if (in.links.empty())
      return std::make_unique<exchange::ProcessorExchange>(in.reporter, answers, control);
    return std::make_unique<chain::ChainExchange>(in.reporter, in.links, answers, control);
  };
  if (!detail::HostAccess::tells_of_exchanges(*this)) return make(sink);
  auto told = std::make_unique<ExchangeLog>(in.logger, name(), in.settings, sink);
  told->tell_of(make(told->answers()));
  return told;
}

}  // namespace host

const exchange::BaseExchange& detail::HostAccess::look_at(const host::Exchange& exchange) {
  if (const auto* told = dynamic_cast<const host::ExchangeLog*>(&exchange)) return told->told_of();
  // Nobody else makes exchanges.
  return dynamic_cast<const exchange::BaseExchange&>(exchange);
}

namespace host {

const std::string& Host::name() const { return inside_->dispatcher->name(); }

bool Host::waits() const { return inside_->dispatcher->suspends(); }

}  // namespace host
}  // namespace extproc
