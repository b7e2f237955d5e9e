#include "extproc/chain.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "chain/chain_state.h"
#include "extproc/async.h"
#include "extproc/error.h"

namespace extproc {
namespace chain {

void LinkState::override_mode(const ModeOverride& asked) {
  const std::optional<ModeOverride> before = std::exchange(mode, asked);
  if (!before) return;
  if (!mode->request_body_mode) mode->request_body_mode = before->request_body_mode;
  if (!mode->response_body_mode) mode->response_body_mode = before->response_body_mode;
}

bool LinkState::declined(Phase phase) const {
  if (!mode) return false;
  switch (phase) {
    case Phase::request_headers:
    case Phase::request_body:
    case Phase::response_body:
      return false;
    case Phase::request_trailers:
      return mode->request_trailer_mode == HeaderSendMode::skip;
    case Phase::response_headers:
      return mode->response_header_mode == HeaderSendMode::skip;
    case Phase::response_trailers:
      break;
  }
  return mode->response_trailer_mode == HeaderSendMode::skip;
}

std::optional<BodySendMode> configured(const Context& context, Phase phase) {
  const auto& config = context.protocol_config();
  if (!config) return std::nullopt;
  return is_request_phase(phase) ? config->request_body_mode : config->response_body_mode;
}

std::optional<BodySendMode> ChainState::body_mode(std::size_t link, Phase phase,
                                                  const Context& context) const {
  if (const auto& mode = links[link]->mode) {
    const auto& asked =
        is_request_phase(phase) ? mode->request_body_mode : mode->response_body_mode;
    if (asked) return asked;
  }
  return configured(context, phase);
}

bool ChainState::calls(const ChainLinks& chain, std::size_t link, Phase phase,
                       const Context& context) const {
  if (links[link]->ended || !chain[link]->phases().contains(phase)) return false;
  if (!modes_differ) return true;
  if (is_body(phase)) return body_mode(link, phase, context) != BodySendMode::none;
  return !links[link]->declined(phase);
}

void ChainState::begin(const ChainLinks& chain) {
  if (call != nullptr) return;
  links.reserve(chain.size());
  for (std::size_t i = 0; i < chain.size(); ++i) links.push_back(std::make_unique<LinkState>());
  call = std::make_unique<ChainCall>(chain, *this);
}

namespace {

class ChainDispatcher final : public detail::Dispatcher {
 public:
  ChainDispatcher(std::string name, ChainLinks links)
      : detail::Dispatcher(std::move(name), all(links, &detail::Dispatcher::phases),
                           suspends(links), all(links, &detail::Dispatcher::streamed)),
        links_(std::move(links)) {
    for (const auto& link : links_) names_.push_back(link->name());
  }

  std::span<const std::string> links() const override { return names_; }

  detail::Step call(detail::Invocation& invocation) const override {
    ChainState& state = invocation.request->state<ChainState>();
    state.begin(links_);
    if (invocation.body_stream == nullptr) return state.call->start(invocation);
    auto& body = invocation.phase == Phase::request_body ? state.request_body : state.response_body;
    body = std::make_unique<ChainBody>(links_, state, invocation);
    return detail::start_task(body->run(), invocation);
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

  ChainLinks links_;
  std::vector<std::string> names_;
};

}  // namespace

}  // namespace chain

namespace detail {

std::shared_ptr<const Dispatcher> make_chain_dispatcher(const Chain& services) {
  chain::ChainLinks links;
  for (const Service& service : services.services()) links.push_back(service.dispatcher());
  return std::make_shared<chain::ChainDispatcher>(services.name(), std::move(links));
}

}  // namespace detail

Chain::Chain(std::vector<Service> services, std::string name)
    : services_(std::move(services)), name_(std::move(name)) {
  if (services_.empty()) throw Error("a Chain needs at least one processor");
  std::string joined;
  for (std::size_t i = 0; i < services_.size(); ++i) {
    const std::string& own = services_[i].name();
    if (!services_[i].dispatcher()->links().empty()) {
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
