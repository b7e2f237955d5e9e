#include "extproc/chain.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "base/access.h"
#include "extproc/error.h"
#include "rules/needs.h"

namespace extproc {
namespace chain {
namespace {

using ChainLinks = std::vector<std::shared_ptr<const detail::Dispatcher>>;

class ChainDispatcher final : public detail::Dispatcher {
 public:
  ChainDispatcher(std::string name, ChainLinks links)
      : detail::Dispatcher(std::move(name), all(links, &detail::Dispatcher::phases),
                           suspends(links), all(links, &detail::Dispatcher::streamed),
                           traits(links)),
        links_(std::move(links)) {}

  std::span<const std::shared_ptr<const Dispatcher>> links() const override { return links_; }

  Needs needs() const override {
    Needs all = links_.front()->needs();
    for (std::size_t i = 1; i < links_.size(); ++i) {
      const Needs own = links_[i]->needs();
      if (rules::contradict(all, own)) {
        throw Error(links_[i]->name() +
                    " needs a body in another mode than those before it in the chain " + name() +
                    ": give them filters of their own, or state one mode in all needs()");
      }
      all = rules::together(std::move(all), own);
    }
    return all;
  }

  detail::Step call(detail::Invocation& /*invocation*/) const override {
    throw Error("the processors of a chain are called one by one");
  }

 private:
  static PhaseSet all(const ChainLinks& links, PhaseSet (detail::Dispatcher::*member)() const) {
    PhaseSet phases;
    for (const auto& link : links) phases = phases | ((*link).*member)();
    return phases;
  }
  static bool suspends(const ChainLinks& links) {
    return std::any_of(links.begin(), links.end(),
                       [](const auto& link) { return link->suspends(); });
  }
  static detail::Traits traits(const ChainLinks& links) {
    detail::Traits all;
    for (const auto& link : links) {
      all.completes |= link->traits().completes;
      all.early_end &= link->traits().early_end;
    }
    return all;
  }

  ChainLinks links_;
};

}  // namespace
}  // namespace chain

namespace detail {

std::shared_ptr<const Dispatcher> make_chain_dispatcher(const Chain& services) {
  chain::ChainLinks links;
  for (const Service& service : services.services())
    links.push_back(detail::Access::dispatcher(service));
  return std::make_shared<chain::ChainDispatcher>(services.name(), std::move(links));
}

}  // namespace detail

Chain::Chain(std::vector<Service> services, std::string name)
    : services_(std::move(services)), name_(std::move(name)) {
  if (services_.empty()) throw Error("a Chain needs at least one processor");
  std::string joined;
  for (std::size_t i = 0; i < services_.size(); ++i) {
    const std::string& own = services_[i].name();
    if (!detail::Access::dispatcher(services_[i])->links().empty()) {
      throw Error("the Chain \"" + own + "\" is in a Chain: give its processors one by one");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (services_[j].name() == own)
        throw Error("the processor \"" + own + "\" is in the Chain twice");
    }
    if (i > 0) joined.push_back(',');
    joined.append(own);
  }
  if (name_.empty()) name_ = joined;
}

PhaseSet Chain::handled_phases() const {
  PhaseSet phases;
  for (const Service& service : services_) phases = phases | service.handled_phases();
  return phases;
}

}  // namespace extproc
