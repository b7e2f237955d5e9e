// ChainExchange: local replies, and messages that a link made in place of Envoy's.
#include <string>
#include <utility>

#include "chain/chain_exchange.h"
#include "exchange/chain_header.h"
#include "rules/mode_rules.h"
#include "rules/reply_rules.h"

namespace extproc::chain {

namespace {

constexpr std::size_t kNobody = ~std::size_t{0};

}  // namespace

// In a request phase the others' response phases follow, as for any local reply of Envoy's. A
// second one, or one in a response phase, is sent past them.
void ChainExchange::on_reply(Link& link, Phase phase, const ImmediateResponse& response,
                             const ResponseExtras* extras) {
  if (finished_ || closed_ || observes()) return;
  if (!reply_) {
    reply_fold_.clear();
    // What those before it asked for in the same message.
    const Direction& its = direction(phase);
    const auto take = [&](const Fold& fold) {
      if (fold.extras) reply_fold_.take_extras(&*fold.extras);
    };
    if (its.headers_open) take(its.headers);
    if (is_body(phase)) {
      for (const Fold& fold : its.bodies) take(fold);
      if (its.pieces) take(*its.pieces);
    }
    if (its.trailers_open) take(its.trailers);
    reply_phase_ = phase;
  }
  take_extras(reply_fold_, extras);
  Direction& back = direction(Phase::response_headers);
  if (reply_ || !is_request_phase(phase) || back.begun) return reply(reply_phase_, response);
  const bool grpc = rules::is_grpc(link.exchange().request().content_type());
  reply_.emplace(response, grpc, request_.method() == "HEAD");
  back.made.emplace(MadeMessage{.headers_phase = Phase::response_headers,
                                .is_reply = true,
                                .headers = reply_->headers(),
                                .changes = reply_->changes(),
                                .body = reply_->body(),
                                .next = 0,
                                .maker = kNobody});
  go_on();
}

void ChainExchange::make(const HttpHeaders& message, Phase phase, Link& link, std::string body) {
  Direction& its = direction(phase);
  its.headers.body = std::move(body);
  its.made_headers.copy({message.begin(), message.end()});
  its.made_headers.remove("content-length");
  its.made.emplace(MadeMessage{.headers_phase = phase,
                               .is_reply = false,
                               .headers = its.made_headers,
                               .changes = its.headers.changes,
                               .body = its.headers.body,
                               .next = place_of(phase, link) + 1,
                               .maker = link.number()});
  go_on();
}

Fold& ChainExchange::fold_of(const MadeMessage& made) {
  return made.is_reply ? reply_fold_ : direction(made.headers_phase).headers;
}

// Gives the next of them the headers, or the one that had them the body.
void ChainExchange::step(MadeMessage& made) {
  const Phase headers = made.headers_phase;
  if (std::exchange(made.body_follows, false)) {
    Link& link = link_at(headers, made.next - 1);
    if (body_due(made, link)) {
      made.waits = true;
      made.written.clear();
      return link.feed({.phase = rules::body_of(headers), .end_of_stream = true, .body = made.body},
                       true);
    }
    if (made.waits) return link.exchange().on_body_end(rules::body_of(headers));
  }
  if (made.next == links_.size()) return finish_made(made);
  Link& link = link_at(headers, made.next++);
  made.body_follows = !link.ended();
  if (!link.takes(headers)) return;
  made.waits = true;
  link.feed({.phase = headers,
             .end_of_stream = made.is_reply && made.body.empty(),
             .headers = made.headers.entries()});
}

// The link that has the headers decides them by the body.
bool ChainExchange::body_awaited(const MadeMessage& made) const {
  const Phase headers = made.headers_phase;
  return made.body_follows && link_at(headers, made.next - 1).exchange().holds_headers(headers);
}

bool ChainExchange::body_due(const MadeMessage& made, const Link& link) const {
  const Phase body = rules::body_of(made.headers_phase);
  if (link.ended() || made.maker == link.number() || made.body.empty()) return false;
  // One that was made is no gRPC message.
  const auto mode = link.body_mode(body);
  return link.dispatcher().phases().contains(body) && mode != BodySendMode::none &&
         mode != BodySendMode::grpc;
}

void ChainExchange::body_made(Link& link, Phase phase) {
  MadeMessage& made = *direction(phase).made;
  link.made_answered(phase);
  made.waits = false;
  if (made.written != made.body) {
    made.body = std::move(made.written);
    if (made.is_reply) made.headers.set("content-length", std::to_string(made.body.size()));
  }
  go_on();
}

void ChainExchange::finish_made(MadeMessage& made) {
  if (made.is_reply) {
    ImmediateResponse response = std::move(*reply_).fold();
    exchange::fit_chain(env_.settings.chain_header, response);
    return reply(reply_phase_, std::move(response));
  }
  const Phase phase = made.headers_phase;
  answer_headers(phase, HttpHeaders(made.headers.entries(), false));
  direction(phase).made.reset();
}

void ChainExchange::reply(Phase phase, ImmediateResponse response) {
  if (finished_) return;
  replied_ = true;
  reporter().immediate_response(request_, phase, response.status);
  reporter().sent(phase, response.body.size());
  sink().reply(phase, response, reply_fold_.extras ? &*reply_fold_.extras : nullptr);
  // Envoy sends nothing more on this stream.
  end_all(PhaseOutcome::immediate);
  finish(GrpcStatus::ok);
}

}  // namespace extproc::chain
