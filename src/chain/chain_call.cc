#include "chain/chain_call.h"

#include <string>
#include <utility>

#include "chain/chain_state.h"
#include "chain/merge_extras.h"
#include "exchange/chain_header.h"
#include "extproc/context.h"
#include "extproc/error.h"
#include "extproc/request.h"
#include "rules/mode_rules.h"

namespace extproc::chain {
namespace {

/// How much of a body a mode brings at once: the modes in between have what is weaker in them.
constexpr int strength(BodySendMode mode) {
  switch (mode) {
    case BodySendMode::none:
      return 0;
    case BodySendMode::streamed:
      return 1;
    case BodySendMode::buffered_partial:
      return 2;
    case BodySendMode::buffered:
      return 3;
    case BodySendMode::full_duplex_streamed:
    case BodySendMode::grpc:
      break;
  }
  return 4;
}

constexpr Phase body_of(Phase phase) {
  return is_request_phase(phase) ? Phase::request_body : Phase::response_body;
}

}  // namespace

std::size_t ChainCall::link_at(std::size_t index) const {
  return request_direction() ? index : links_.size() - 1 - index;
}

void ChainCall::begin(const detail::Invocation& outer) {
  outer_ = outer;
  changes_.clear();
  body_change_ = BodyChange::none;
  body_ = {};
  body_flags_ = {};
  clear_route_cache_ = mode_asked_ = stopped_ = end_of_stream_ = false;
  replacer_.reset();
  reply_.reset();
  made_bodies_.clear();
  failure_ = nullptr;
  place_ = Place{};
}

detail::Step ChainCall::start(const detail::Invocation& outer) {
  begin(outer);
  if (is_headers(outer.phase)) {
    headers_.assign({outer.headers->begin(), outer.headers->end()});
    end_of_stream_ = outer.headers->end_of_stream();
  } else if (is_body(outer.phase)) {
    // Those of the message before are gone with it.
    headers_.assign({});
    body_ = outer.body->body();
    end_of_stream_ = outer.body->end_of_stream();
    body_flags_ = outer.body->flags();
  } else {
    headers_.assign({outer.trailers->begin(), outer.trailers->end()});
  }
  return go();
}

detail::Step ChainCall::start_reply(const detail::Invocation& outer, std::size_t link,
                                    ImmediateResponse response) {
  begin(outer);
  link_ = link;
  take_immediate(std::move(response));
  return go();
}

detail::Step ChainCall::go() {
  while (next()) {
    if (call_link() == detail::Step::pending) return detail::Step::pending;
  }
  finish();
  return detail::Step::done;
}

// Finds the next link to call, if any.
bool ChainCall::next() {
  while (!stopped_) {
    if (std::exchange(place_.body_follows, false)) {
      const std::size_t link = link_at(place_.index - 1);
      if (body_due(link) && enter(link, body_of(phase_))) return true;
    }
    if (place_.index == links_.size()) return false;
    // A chunk that was emptied on the way goes no further, as in Envoy; the last one does.
    if (!in_reply() && is_body(outer_.phase) && body_change_ != BodyChange::none && body_.empty() &&
        !end_of_stream_)
      return false;
    const std::size_t link = link_at(place_.index++);
    const Phase phase = in_reply() ? Phase::response_headers : outer_.phase;
    phase_ = phase;
    place_.body_follows = is_headers(phase);
    if (enter(link, phase)) return true;
  }
  return false;
}

// A body that does not come from Envoy: of a local reply, or in place of one that was replaced.
bool ChainCall::body_due(std::size_t link) const {
  if (in_reply()) return !stopped_ && !state_.links[link]->ended;
  return replacer_ && *replacer_ != link;
}

// Tells the link's Request of the phase; true when the link has a handler for it.
bool ChainCall::enter(std::size_t link, Phase phase) {
  LinkState& state = *state_.links[link];
  if (state.ended) return false;
  link_ = link;
  phase_ = phase;
  if (is_headers(phase)) {
    if (in_reply()) end_of_stream_ = reply_->body().empty();
    link_headers_ = HttpHeaders(headers().entries(), end_of_stream_);
    headers_response_.reset();
    headers_response_.streamed().reset(request_direction() ? &collected_ : nullptr);
    state.request.begin_phase(phase, &link_headers_);
  } else if (is_body(phase)) {
    const bool made = in_reply() || replacer_.has_value();
    const std::string_view bytes = in_reply() ? std::string_view(reply_->body()) : body_;
    const auto mode = state_.body_mode(link, phase, *outer_.context);
    // One that was made is no gRPC message.
    if (made && (bytes.empty() || mode == BodySendMode::none || mode == BodySendMode::grpc))
      return false;
    link_body_ = HttpBody(bytes, made || end_of_stream_, made ? HttpBody::Flags{} : body_flags_);
    body_response_.reset();
    state.request.begin_phase(phase, nullptr);
  } else {
    link_trailers_ = HttpTrailers(headers().entries());
    trailers_response_.reset();
    state.request.begin_phase(phase, nullptr);
  }
  const bool called = state_.calls(links_, link, phase, *outer_.context);
  // As a filter without a handler: one that asked for no headers does not see them.
  if (!called && phase == Phase::response_headers && !state.declined(phase)) name_link();
  return called;
}

detail::Step ChainCall::call_link() {
  if (phase_ == Phase::response_headers && !outer_.host->chain_header().empty()) {
    std::string buffer;
    exchange::add_to_chain(outer_.host->chain_header(), links_[link_]->name(), link_headers_,
                           headers_response_, buffer);
  }
  Request& request = state_.links[link_]->request;
  outer_.host->link_begin(link_, request, phase_);
  start_ = outer_.host->now();
  detail::Invocation invocation{.phase = phase_,
                                .host = outer_.host,
                                .headers = &link_headers_,
                                .body = &link_body_,
                                .trailers = &link_trailers_,
                                .context = outer_.context,
                                .request = &request,
                                .headers_response = &headers_response_,
                                .body_response = &body_response_,
                                .trailers_response = &trailers_response_,
                                .completion = this};
  std::exception_ptr failure;
  try {
    if (start_link(invocation) == detail::Step::pending) {
      if (const Fallback* fallback = link_response().fallback()) set_fallback(*fallback);
      return detail::Step::pending;
    }
  } catch (...) {
    failure = std::current_exception();
  }
  absorb(failure);
  return detail::Step::done;
}

// A body that is in a ChainCall and has a handler over the whole of it is one that was made.
detail::Step ChainCall::start_link(detail::Invocation& invocation) {
  const detail::Dispatcher& link = *links_[link_];
  if (!link.streamed().contains(phase_)) return link.call(invocation);
  made_bodies_.push_back(std::make_unique<MadeBody>(
      link, invocation, state_.body_mode(link_, phase_, *outer_.context)));
  return made_bodies_.back()->start();
}

void ChainCall::complete(std::exception_ptr failure) noexcept {
  absorb(failure);
  std::exception_ptr thrown;
  try {
    if (go() == detail::Step::pending) return;
  } catch (...) {
    thrown = std::current_exception();
  }
  // May start the next message's call.
  outer_.completion->complete(thrown);
}

void ChainCall::absorb(const std::exception_ptr& failure) {
  const auto spent = outer_.host->now() - start_;
  Request& request = state_.links[link_]->request;
  const std::size_t link = link_;
  const Phase phase = phase_;
  const PhaseOutcome outcome =
      take_ending(exchange::ending_of(failure, *outer_.context, link_response()));
  request.end_phase(spent);
  outer_.host->link_end(link, request, phase, outcome, spent);
}

PhaseResponse& ChainCall::link_response() {
  if (is_headers(phase_)) return headers_response_;
  if (is_body(phase_)) return body_response_;
  return trailers_response_;
}

PhaseResponse& ChainCall::outer_response() {
  if (is_headers(outer_.phase)) return *outer_.headers_response;
  if (is_body(outer_.phase)) return *outer_.body_response;
  return *outer_.trailers_response;
}

PhaseOutcome ChainCall::take_ending(const exchange::Ending& ending) {
  switch (ending.outcome) {
    case PhaseOutcome::failed:
      failure_ = exchange::failure_of_link(links_[link_]->name(), ending);
      [[fallthrough]];
    case PhaseOutcome::aborted:
      stopped_ = true;
      return ending.outcome;
    default:
      break;
  }
  PhaseResponse& response = link_response();
  if (!ending.thrown) {
    take_extras(response);
    if (is_headers(phase_) && headers_response_.streamed().started()) {
      if (request_direction()) {
        take_immediate(std::move(collected_.response));
        return PhaseOutcome::immediate;
      }
      on_violation(Rule::streamed_response, {});
    }
  }
  if (ending.immediate != nullptr) {
    take_immediate(*ending.immediate);
    return PhaseOutcome::immediate;
  }
  take_changes(response);
  take_override(response);
  return PhaseOutcome::answered;
}

void ChainCall::take_changes(PhaseResponse& response) {
  // Each filter that only observes sees the message as it came.
  if (outer_.context->observability_mode()) return;
  const bool replaces = is_headers(phase_) && headers_response_.replacement().has_value();
  take_mutation(response.header_mutation(), replaces);
  if (is_headers(phase_)) {
    if (headers_response_.clears_route_cache()) take_clear_route_cache(headers_response_);
    if (replaces) take_replacement(headers_response_);
  } else if (is_body(phase_)) {
    if (body_response_.clears_route_cache()) take_clear_route_cache(body_response_);
    take_body(body_response_);
  }
}

void ChainCall::take_clear_route_cache(const PhaseResponse& response) {
  if (rules::clears_route_cache(phase_, !response.header_mutation().empty())) {
    clear_route_cache_ = true;
  } else {
    on_violation(Rule::clear_route_cache, "clear_route_cache");
  }
}

void ChainCall::take_mutation(HeaderMutation& mutation, bool replaces_message) {
  if (mutation.empty()) return;
  if (is_body(phase_) && !in_reply() &&
      !rules::takes_headers_with_body(state_.body_mode(link_, phase_, *outer_.context))) {
    on_violation(Rule::body_header_mutation, mutation.at(0).name);
    mutation.clear();
    return;
  }
  const FilterSettings& filter = outer_.host->filter();
  rules::check_mutation(mutation, replaces_message, filter, *this);
  const auto make = [this](const HeaderMutation::Entry& change) {
    changes().take(change);
    switch (change.operation) {
      case HeaderMutation::Operation::remove:
        return headers().remove(change.name);
      case HeaderMutation::Operation::set:
        return headers().set(change.name, change.value);
      case HeaderMutation::Operation::append:
        return headers().append(change.name, change.value);
    }
  };
  rules::for_each_change(
      mutation, replaces_message, filter, make,
      [this](const HeaderMutation::Entry& refused) { changes().refuse(refused); });
}

void ChainCall::set_header(std::string_view name, std::string_view value) {
  headers().set(name, value);
  changes().set(name, value);
}

void ChainCall::take_extras(const PhaseResponse& response) {
  // As take_changes(): nothing that an observer answers counts.
  if (outer_.context->observability_mode()) return;
  const ResponseExtras* extras = response.extras_or_null();
  if (extras == nullptr) return;
  merge_extras(outer_response().extras(), *extras);
}

// Beside an immediate response, which ends all, it counts for nothing.
void ChainCall::take_override(const PhaseResponse& response) {
  const ResponseExtras* extras = response.extras_or_null();
  if (outer_.context->observability_mode() || extras == nullptr || !extras->mode_override) return;
  if (!rules::mode_override_counts(outer_.context->protocol_config(), *extras->mode_override))
    return on_violation(Rule::mode_override, "mode_override");
  state_.links[link_]->override_mode(*extras->mode_override);
  state_.modes_differ = true;
  if (!in_reply()) mode_asked_ = true;
}

void ChainCall::take_body(BodyResponse& response) {
  if (response.body_change() == BodyChange::none) return;
  if (in_reply()) {
    reply_->body() = response.body();
    headers().set("content-length", std::to_string(response.body().size()));
    return;
  }
  own_body_ = response.body();
  body_ = own_body_;
  body_change_ = body_.empty() ? BodyChange::clear : BodyChange::replace;
  body_flags_.grpc_message_compressed = response.is_grpc_message_compressed();
}

void ChainCall::take_replacement(HeadersResponse& response) {
  if (in_reply()) {
    reply_->body() = *response.replacement();
    headers().set("content-length", std::to_string(reply_->body().size()));
    place_.body_follows = false;
    return;
  }
  own_body_ = *response.replacement();
  body_ = own_body_;
  body_change_ = BodyChange::replace;
  replacer_ = link_;
  end_of_stream_ = false;
  headers().remove("content-length");
}

// In a request phase the others' response phases follow, as for any local reply of Envoy's. A
// second one, or one in a response phase, is sent past them.
void ChainCall::take_immediate(ImmediateResponse response) {
  if (outer_.context->observability_mode()) return;
  const std::string_view chain_header = outer_.host->chain_header();
  if (!chain_header.empty()) exchange::set_chain(chain_header, links_[link_]->name(), response);
  state_.links[link_]->ended = true;
  if (in_reply() || !is_request_phase(outer_.phase)) {
    outer_response().respond(std::move(response));
    stopped_ = true;
    return;
  }
  const bool grpc = state_.links[link_]->request.content_type().starts_with("application/grpc");
  reply_.emplace(std::move(response), grpc);
  place_ = Place{};
}

void ChainCall::name_link() {
  const std::string_view header = outer_.host->chain_header();
  if (header.empty()) return;
  HeadersResponse named;
  std::string value;
  exchange::add_to_chain(header, links_[link_]->name(), HttpHeaders(headers().entries(), false),
                         named, value);
  set_header(header, value);
}

void ChainCall::on_violation(Rule rule, std::string_view field) {
  outer_.host->link_violation(link_, phase_, rule, field);
}

void ChainCall::finish() {
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  if (stopped_) return;
  if (in_reply()) {
    outer_response().respond(std::move(*reply_).fold());
    return;
  }
  changes_.write_all(outer_response().header_mutation());
  // Not where the message is replaced: there more may be changed than by the link that was refused.
  if (clear_route_cache_ && !replacer_) changes_.write_refused(outer_response().header_mutation());
  if (is_headers(outer_.phase)) {
    if (clear_route_cache_) outer_.headers_response->clear_route_cache();
    if (replacer_) outer_.headers_response->continue_and_replace(std::string(body_));
    if (mode_asked_) finish_mode();
  } else if (is_body(outer_.phase)) {
    if (clear_route_cache_) outer_.body_response->clear_route_cache();
    if (body_change_ == BodyChange::replace) outer_.body_response->replace_body(body_);
    if (body_change_ == BodyChange::clear) outer_.body_response->clear_body();
    outer_.body_response->grpc_message_compressed(body_flags_.grpc_message_compressed);
  }
}

// Asks for what any of the links still needs.
void ChainCall::finish_mode() {
  const auto body = [&](Phase phase, auto member) {
    std::optional<BodySendMode> needed;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      const LinkState& state = *state_.links[i];
      const bool handles = links_[i]->phases().contains(phase) && !state.ended;
      std::optional<BodySendMode> own = state.mode ? (*state.mode).*member : std::nullopt;
      if (!own && handles) own = configured(*outer_.context, phase);
      if (own && (!needed || strength(*own) > strength(*needed))) needed = own;
    }
    return needed;
  };
  // In the response's headers each leaves its name.
  const bool names_links = !outer_.host->chain_header().empty();
  const auto headers = [&](Phase phase, auto member) {
    bool all_skip = true;
    bool any = false;
    for (std::size_t i = 0; i < links_.size(); ++i) {
      const LinkState& state = *state_.links[i];
      const auto own = state.mode ? (*state.mode).*member : std::nullopt;
      if (own == HeaderSendMode::send) return own;
      if (own) any = true;
      const bool needed =
          links_[i]->phases().contains(phase) || (names_links && phase == Phase::response_headers);
      if (!own && needed && !state.ended) all_skip = false;
    }
    return any && all_skip ? std::optional(HeaderSendMode::skip) : std::nullopt;
  };
  outer_.headers_response->override_mode(
      {.response_header_mode =
           headers(Phase::response_headers, &ModeOverride::response_header_mode),
       .request_body_mode = body(Phase::request_body, &ModeOverride::request_body_mode),
       .response_body_mode = body(Phase::response_body, &ModeOverride::response_body_mode),
       .request_trailer_mode =
           headers(Phase::request_trailers, &ModeOverride::request_trailer_mode),
       .response_trailer_mode =
           headers(Phase::response_trailers, &ModeOverride::response_trailer_mode)});
}

}  // namespace extproc::chain
