// ChainExchange: what the links answer goes to the next one, and at the end to the host.
#include <string>
#include <utility>

#include "base/access.h"
#include "chain/chain_exchange.h"
#include "extproc/error.h"
#include "rules/header_rules.h"
#include "rules/mode_rules.h"

namespace extproc::chain {

using host::Message;

std::optional<BodySendMode> ChainExchange::configured(Phase phase) const {
  const auto& config = context_.protocol_config();
  if (!config) return std::nullopt;
  return is_request_phase(phase) ? config->request_body_mode : config->response_body_mode;
}

// `number`: of a body that is to be answered.
void ChainExchange::pass_on(std::size_t place, const Message& message,
                            std::optional<std::uint64_t> number) {
  const Phase phase = *message.phase;
  for (; place < links_.size(); ++place) {
    Link& link = link_at(phase, place);
    const bool takes = link.takes(phase);
    // Nothing goes past headers that are not answered.
    if (!takes && !link.owes_headers(phase)) continue;
    if (number) link.owe(phase, *number);
    if (takes && is_body(phase) && direction(phase).reader == nullptr)
      direction(phase).reader = &link;
    link.feed(message);
    return go_on();
  }
  arrived(message, number);
}

void ChainExchange::on_passed(Link& link, const Message& message) {
  const Phase phase = *message.phase;
  if (goes_on(phase))
    pass_on(place_of(phase, link) + 1, message,
            is_body(phase) ? link.take_owed(phase) : std::nullopt);
}

// All of them have seen it.
void ChainExchange::arrived(const Message& message, std::optional<std::uint64_t> number) {
  const Phase phase = *message.phase;
  Direction& its = direction(phase);
  if (is_headers(phase))
    return answer_headers(phase, HttpHeaders(message.headers, message.end_of_stream));
  if (is_trailers(phase)) return answer_trailers(phase, HttpTrailers(message.headers));
  // None of them has read it.
  if (its.reader == nullptr) sink().consumed(phase, message.body.size());
  if (number) {
    Fold& fold = its.bodies[*number - its.first_body];
    if (fold.body_change != BodyChange::none) {
      fold.body_change = message.body.empty() ? BodyChange::clear : BodyChange::replace;
      fold.body.assign(message.body);
      its.body_bytes += fold.body.size();
    }
    fold.complete = true;
    return answer_bodies(phase);
  }
  std::optional<Fold> beside = std::exchange(its.pieces, std::nullopt);
  sink().piece(phase, HttpBody(message.body, message.end_of_stream, message.body_flags),
               beside && beside->extras ? &*beside->extras : nullptr);
}

// A local reply ends the request's direction.
bool ChainExchange::goes_on(Phase phase) const {
  return !finished_ && !closed_ && !(reply_ && is_request_phase(phase));
}

void ChainExchange::apply(const HeaderMutation& mutation, bool replaces, MessageHeaders& headers,
                          MergedMutation& changes) {
  using Entry = HeaderMutation::Entry;
  const auto make = [&](const Entry& change) {
    changes.take(change);
    headers.take(change);
  };
  rules::for_each_change(mutation, replaces, env_.settings.filter, make,
                         [&](const Entry& refused) { changes.refuse(refused); });
}

// What goes on of a message's headers: where nothing changes them, they themselves.
std::span<const Header> ChainExchange::changed(Link& link, std::span<const Header> headers,
                                               const HeaderMutation& mutation, bool replaces,
                                               Fold& fold) {
  if (mutation.empty()) return headers;
  link.headers_on.assign(headers);
  apply(mutation, replaces, link.headers_on, fold.changes);
  return link.headers_on.entries();
}

// The metadata in it is seen by those behind, as after a filter of its own.
void ChainExchange::take_extras(Fold& fold, const ResponseExtras* extras) {
  fold.take_extras(extras);
  if (extras == nullptr) return;
  detail::MessageContext& kept = detail::Access::messages(context_);
  const auto* sent = kept.data == nullptr ? nullptr : &kept.data->metadata;
  for (const auto& [name, value] : extras->dynamic_metadata)
    kept.made.set(name, value.bytes(), sent);
}

// What the client has sent now counts, but for what processors have set.
void ChainExchange::renew_metadata() {
  detail::MessageContext& kept = detail::Access::messages(context_);
  if (kept.made.empty()) return;
  kept.made.renew(kept.data == nullptr ? nullptr : &kept.data->metadata, reads_nothing());
}

void ChainExchange::take_override(Link& link, const HeadersResponse& answer) {
  const ResponseExtras* extras = answer.extras_or_null();
  if (extras == nullptr || !extras->mode_override) return;
  link.override_mode(*extras->mode_override);
  modes_differ_ = true;
  if (!reply_) mode_asked_ = true;
}

void ChainExchange::on_headers(Link& link, Phase phase, const HttpHeaders& message,
                               const HeadersResponse& answer) {
  if (!goes_on(phase)) return;
  const bool replaces = answer.replacement().has_value();
  take_override(link, answer);
  if (direction(phase).made) {
    MadeMessage& made = *direction(phase).made;
    take_extras(fold_of(made), answer.extras_or_null());
    apply(answer.header_mutation(), replaces, made.headers, made.changes);
    if (answer.is_route_cache_cleared()) fold_of(made).clear_route_cache = true;
    if (replaces) {
      made.body = *answer.replacement();
      if (made.is_reply) made.headers.set("content-length", std::to_string(made.body.size()));
      made.maker = link.number();
    }
    // Its body, where it was to decide, is still to be answered.
    made.waits = link.owes_made(phase);
    return go_on();
  }
  Fold& fold = direction(phase).headers;
  take_extras(fold, answer.extras_or_null());
  if (answer.is_route_cache_cleared()) fold.clear_route_cache = true;
  const auto entries =
      changed(link, {message.begin(), message.end()}, answer.header_mutation(), replaces, fold);
  if (replaces) return make(HttpHeaders(entries, false), phase, link, *answer.replacement());
  pass_on(place_of(phase, link) + 1,
          {.phase = phase, .end_of_stream = message.end_of_stream(), .headers = entries},
          std::nullopt);
}

void ChainExchange::on_trailers(Link& link, Phase phase, const HttpTrailers& message,
                                const TrailersResponse& answer) {
  if (!goes_on(phase)) return;
  Fold& fold = direction(phase).trailers;
  take_extras(fold, answer.extras_or_null());
  pass_on(place_of(phase, link) + 1,
          {.phase = phase,
           .headers = changed(link, {message.begin(), message.end()}, answer.header_mutation(),
                              false, fold)},
          std::nullopt);
}

// The headers that the answer to a body changes are gone with their message, and those behind have
// had them as they were. Where they were not sent to the link, they stay.
void ChainExchange::change_sent_headers(Link& link, Phase phase, const BodyResponse& answer,
                                        Fold& fold) {
  const exchange::ProcessorExchange& own = link.exchange();
  if (!is_request_phase(phase) && !own.saw_headers(phase)) return;
  link.headers_on.assign({});
  apply(answer.header_mutation(), false, link.headers_on, fold.changes);
  for (std::size_t place = place_of(phase, link) + 1; place < links_.size(); ++place)
    link_at(phase, place).exchange().follow(own, phase, answer.header_mutation());
}

void ChainExchange::on_body(Link& link, Phase phase, const HttpBody& message,
                            BodyResponse& answer) {
  if (!goes_on(phase)) return;
  const bool changes = answer.body_change() != BodyChange::none;
  if (auto& made = direction(phase).made; made && link.owes_made(phase)) {
    take_extras(fold_of(*made), answer.extras_or_null());
    apply(answer.header_mutation(), false, made->headers, made->changes);
    if (answer.is_route_cache_cleared()) fold_of(*made).clear_route_cache = true;
    made->written.append(changes ? answer.body() : message.bytes());
    return body_made(link, phase);
  }
  const auto number = link.take_owed(phase);
  if (!number || *number < direction(phase).first_body) return;
  Fold& fold = direction(phase).bodies[*number - direction(phase).first_body];
  take_extras(fold, answer.extras_or_null());
  if (!answer.header_mutation().empty()) change_sent_headers(link, phase, answer, fold);
  if (answer.is_route_cache_cleared()) fold.clear_route_cache = true;
  Message next{.phase = phase,
               .end_of_stream = message.end_of_stream(),
               .body = message.bytes(),
               .body_flags = message.flags()};
  std::size_t place = place_of(phase, link) + 1;
  if (changes) {
    link.body_on = answer.take_body();
    next.body = link.body_on;
    next.body_flags.grpc_message_compressed = answer.is_grpc_message_compressed();
    fold.body_change = BodyChange::replace;
    // A chunk that was emptied goes no further, as in Envoy; the last one does.
    if (next.body.empty() && !next.end_of_stream) place = links_.size();
  }
  fold.grpc_message_compressed = next.body_flags.grpc_message_compressed;
  pass_on(place, next, number);
}

void ChainExchange::on_piece(Link& link, Phase phase, const HttpBody& piece,
                             const ResponseExtras* extras) {
  if (!goes_on(phase)) return;
  if (auto& made = direction(phase).made; made && link.owes_made(phase)) {
    take_extras(fold_of(*made), extras);
    made->written.append(piece.bytes());
    if (piece.end_of_stream() || piece.end_of_stream_without_message()) body_made(link, phase);
    return;
  }
  if (extras != nullptr) {
    auto& pieces = direction(phase).pieces;
    if (!pieces) pieces.emplace();
    take_extras(*pieces, extras);
  }
  pass_on(place_of(phase, link) + 1,
          {.phase = phase,
           .end_of_stream = piece.end_of_stream(),
           .body = piece.bytes(),
           .body_flags = piece.flags()},
          std::nullopt);
}

template <class Response>
bool ChainExchange::write(Phase phase, const Fold& fold, Response& answer) {
  detail::Access::reset(answer);
  try {
    const bool named = phase == Phase::response_headers;
    fold.write(answer, named ? std::string_view(env_.settings.chain_header) : std::string_view());
  } catch (const Error& error) {
    reporter().failure(request_, phase, error.what());
    on_finish(GrpcStatus::unknown, "the handler of " + std::string(to_string(phase)) + " failed");
    return false;
  }
  return true;
}

void ChainExchange::answer_headers(Phase phase, const HttpHeaders& message) {
  Direction& its = direction(phase);
  Fold& fold = its.headers;
  if (!write(phase, fold, headers_answer_)) return;
  const bool replaced = its.made.has_value();
  if (fold.clear_route_cache) {
    // Not where the message is replaced: there more may be changed than by the link that was
    // refused.
    if (!replaced) fold.changes.write_refused(headers_answer_.header_mutation());
    headers_answer_.clear_route_cache();
  }
  if (replaced) headers_answer_.continue_and_replace(std::move(fold.body));
  if (std::exchange(mode_asked_, false))
    headers_answer_.override_mode(mode_needed(links_, !env_.settings.chain_header.empty()));
  checker_.headers(phase, message, headers_answer_);
  if (modes_differ_) {
    for (const auto& link : links_) link->exchange().come_as(directions());
  }
  its.headers_open = false;
  answered(phase);
  answer_bodies(rules::body_of(phase));
}

void ChainExchange::answer_trailers(Phase phase, const HttpTrailers& message) {
  Direction& its = direction(phase);
  if (!write(phase, its.trailers, trailers_answer_)) return;
  if (!checker_.trailers(phase, message, trailers_answer_)) return;
  its.trailers_open = false;
  answered(phase);
}

// In the order in which they came, and behind the headers: a chunk that was emptied is complete
// before those are.
void ChainExchange::answer_bodies(Phase phase) {
  Direction& its = direction(phase);
  if (its.headers_open) return;
  while (!its.bodies.empty() && its.bodies.front().complete && !finished_) {
    const Fold fold = its.bodies.pop();
    ++its.first_body;
    its.body_bytes -= sizeof(Fold) + fold.body.size();
    if (!write(phase, fold, body_answer_)) return;
    if (fold.clear_route_cache) {
      fold.changes.write_refused(body_answer_.header_mutation());
      body_answer_.clear_route_cache();
    }
    if (fold.body_change == BodyChange::replace) body_answer_.replace_body(fold.body);
    if (fold.body_change == BodyChange::clear) body_answer_.clear_body();
    body_answer_.set_grpc_message_compressed(fold.grpc_message_compressed);
    if (!checker_.body(phase, HttpBody(), body_answer_)) return;
    answered(phase);
  }
}

void ChainExchange::answered(Phase phase) {
  asked_for_time_ = false;
  if (!env_.dispatcher.streamed().contains(phase)) end_phase(phase, PhaseOutcome::answered);
}

void ChainExchange::on_ask_for_time(std::chrono::milliseconds time) {
  // Envoy gives it once for each message.
  if (finished_ || std::exchange(asked_for_time_, true)) return;
  env_.counters.time_extensions.add();
  sink().ask_for_time(time);
}

bool ChainExchange::congested_behind(const Link& link, Phase phase) const {
  for (std::size_t place = place_of(phase, link) + 1; place < links_.size(); ++place) {
    if (link_at(phase, place).unread_bytes() >= env_.settings.unread_body_bytes) return true;
  }
  return sink().congested(phase);
}

// The client is told of what the first has read, once those behind have room for it.
void ChainExchange::on_consumed(Link& link, Phase phase, std::size_t bytes) {
  if (finished_ || closed_) return;
  Direction& its = direction(phase);
  if (its.reader == nullptr) return;
  const bool first = its.reader == &link;
  if (first) its.owed_credit += bytes;
  for (std::size_t place = place_of(phase, *its.reader) + 1; place < links_.size(); ++place) {
    if (link_at(phase, place).unread_bytes() < env_.settings.unread_body_bytes) continue;
    its.was_congested = true;
    return;
  }
  sink().consumed(phase, std::exchange(its.owed_credit, 0));
  if (!first && std::exchange(its.was_congested, false)) {
    for (const auto& each : links_) each->exchange().on_writable();
  }
}

}  // namespace extproc::chain
