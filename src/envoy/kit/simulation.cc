#include "envoy/kit/simulation.h"

#include <algorithm>
#include <utility>

#include "envoy/kit/http_message.h"
#include "envoy/kit/local_reply.h"

namespace extproc::testing::envoy {
namespace {

// The largest DATA frame of HTTP/2, unless both sides agree on more.
constexpr std::size_t kFrame = 16384;

LocalReply without_status() {
  return {.status = 502,
          .body = "missing required header: :status",
          .details = "filter_removed_required_response_headers"};
}

/// Nothing where there is none.
std::optional<Time> earliest(std::initializer_list<std::optional<Time>> times) {
  std::optional<Time> first;
  for (const auto& time : times) {
    if (time && (!first || *time < *first)) first = time;
  }
  return first;
}

}  // namespace

Simulation::Simulation(const FilterConfig& config, const EnvoyOptions& options,
                       const Exchange& exchange, ProcessorPeer& peer)
    : options_(options),
      exchange_(exchange),
      peer_(peer),
      filter_(config, options.buffer_limit_bytes, *this, Record(result_)),
      request_(Side::request, filter_, *this, options.buffer_limit_bytes),
      response_(Side::response, filter_, *this, options.buffer_limit_bytes) {
  caller_.begin(
      exchange.request,
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "localhost"}, {":path", "/"}},
      exchange.request_pacing, now_);
}

EnvoyResult Simulation::run() {
  while (!over_ && step()) {
  }
  filter_.destroy();
  peer_.finish();
  return std::move(result_);
}

// What is ready comes first; then what the upstream and the caller still have; then time passes.
bool Simulation::step() {
  return take_from_processor() || take_piece(Side::response) || take_piece(Side::request) || wait();
}

std::optional<Time> Simulation::later(Side side) const {
  return sender(side).is_ready(now_) ? std::nullopt : next_piece(side);
}

bool Simulation::take_from_processor() {
  if (!stream_open_) return false;
  // A piece that is there waits for the processor; one that is still to come does not.
  const auto next = earliest({filter_.next_timer(), later(Side::request), later(Side::response)});
  const bool more = is_ready(Side::request) || is_ready(Side::response);
  const auto event = peer_.next(now_, next ? std::max(*next - now_, Time{0}) : Time::max(), more);
  if (!event) return false;
  if (event->is_reply) {
    result_.messages.push_back({false, event->bytes});
    filter_.on_reply(event->bytes);
  } else {
    stream_open_ = false;
    filter_.on_stream_end(event->grpc_status, event->grpc_message);
  }
  return true;
}

bool Simulation::take_piece(Side side) {
  Sender& from = sender(side);
  if (!is_ready(side)) return false;
  do {
    arrive(side, from.take(now_));
  } while (from.goes_on(now_) && is_ready(side) && !over_);
  if (side == Side::response) end_handshake();
  return true;
}

void Simulation::arrive(Side side, Piece piece) {
  const bool trailers = piece.kind == Piece::Kind::trailers;
  const HeaderKind kind = side == Side::request
                              ? (trailers ? HeaderKind::request_trailers : HeaderKind::request)
                              : (trailers ? HeaderKind::response_trailers : HeaderKind::response);
  switch (piece.kind) {
    case Piece::Kind::headers:
      return arrive_headers(side, HeaderMap(kind, piece.headers), piece.end);
    case Piece::Kind::data: {
      // A larger piece is several frames that arrive together.
      std::size_t at = 0;
      for (; piece.data.size() - at > kFrame && !over_; at += kFrame)
        arrive_data(side, piece.data.substr(at, kFrame), false);
      return arrive_data(side, piece.data.substr(at), piece.end);
    }
    case Piece::Kind::trailers:
      if (!length(side).on_trailers()) return break_off(side);
      response_complete_ = response_complete_ || side == Side::response;
      return pipe(side).arrive_trailers(limited(HeaderMap(kind, piece.headers)));
  }
}

void Simulation::arrive_headers(Side side, HeaderMap headers, bool end) {
  const bool bodiless = side == Side::response && has_no_body(headers, asked_);
  if (!length(side).on_headers(headers, end, bodiless)) return break_off(side);
  if (side == Side::response) {
    handshake_.answered();
    if (answered_locally_) return second_response(headers, end);
    response_started_ = true;
    response_complete_ = end;
  } else {
    // No filter gets to see it.
    if (is_refused(headers))
      return reply({.status = 400, .body = {}, .details = "query_missing_content_type"});
    arrived_ = headers;
  }
  pipe(side).arrive_headers(limited(std::move(headers)), end);
}

void Simulation::arrive_data(Side side, std::string data, bool end) {
  if (over_) return;
  if (!length(side).on_data(data.size(), end)) return break_off(side);
  response_complete_ = response_complete_ || (side == Side::response && end);
  pipe(side).arrive_data(std::move(data), end);
}

// A message that breaks HTTP costs the connection.
void Simulation::break_off(Side side) {
  if (side == Side::request) return reset_caller();
  reply({.status = 502,
         .body = "upstream connect error or disconnect/reset before headers. reset reason: "
                 "protocol error",
         .details = "upstream_reset_before_response_started{protocol_error}"});
}

// Behind the processor's own response the upstream's gets to the caller too, for whom what begins
// it is trailers, or breaks HTTP/2.
void Simulation::second_response(const HeaderMap& headers, bool end) {
  if (!end) return reset_caller();
  result_.caller.trailers = headers.entries();
  end_of_caller();
}

HeaderMap Simulation::limited(HeaderMap headers) const {
  headers.max_count = options_.max_headers_count;
  headers.max_bytes = options_.max_headers_kb * 1024;
  return headers;
}

// What comes by itself, besides the processor's.
std::optional<Time> Simulation::next_time() const {
  return earliest({filter_.next_timer(), next_piece(Side::request), next_piece(Side::response)});
}

bool Simulation::wait() {
  const auto timer = filter_.next_timer();
  const auto next = earliest({next_time(), stream_open_ ? peer_.next_time() : std::nullopt});
  if (!next) return false;
  now_ = std::max(now_, *next);
  if (timer && *timer <= now_) filter_.on_time();
  return true;
}

void Simulation::open_stream() {
  stream_open_ = true;
  peer_.open(now_);
}

void Simulation::send_message(std::string bytes) {
  // Envoy counts a message that it sends to a stream which it has just closed.
  if (!stream_open_) return;
  result_.messages.push_back({true, bytes});
  peer_.send(std::move(bytes), now_);
}

void Simulation::close_stream() {
  stream_open_ = false;
  peer_.close();
}

// What a processor may make of a request so that it gets to no upstream.
std::optional<LocalReply> Simulation::refused_on_the_way(const HeaderMap& request) const {
  const auto* path = request.get(":path");
  if (result_.route_cache_cleared && path != nullptr && !path->starts_with('/'))
    return LocalReply{.status = 404, .body = {}, .details = "route_not_found"};
  const auto* method = request.get(":method");
  if (method != nullptr && *method == "CONNECT") {
    return LocalReply{.status = 503,
                      .body = "missing required header: :protocol",
                      .details =
                          "filter_removed_required_request_headers{missing_required_header:_"
                          ":protocol}"};
  }
  return std::nullopt;
}

bool Simulation::can_continue(Side side) const {
  return !over_ && (side == Side::request ? !response_complete_ : true);
}

void Simulation::send_headers(Side side, const HeaderMap& headers, bool end) {
  if (over_) return;
  if (side == Side::request) {
    if (const auto refused = refused_on_the_way(headers)) {
      turned_away_ = true;
      return reply(*refused);
    }
    result_.upstream.reached = true;
    HeaderMap left = headers;
    // A scheme that is none becomes that of the upstream's connection.
    if (const auto* scheme = left.get(":scheme"); scheme != nullptr && !is_scheme(*scheme))
      left.set(":scheme", "http");
    result_.upstream.headers = left.entries();
    asked_ = std::move(left);
    result_.upstream.complete = end;
    handshake_.begin(headers);
    if (end || exchange_.upstream_answers_early) upstream_answers();
    return;
  }
  if (!has_status(headers)) return reply(without_status());
  response_left_ = true;
  HeaderMap left = headers;
  remove_headers_of_one_hop(left, arrived_);
  result_.caller.status = status_of(left);
  result_.caller.headers = left.entries();
  if (end) end_of_caller();
}

void Simulation::send_data(Side side, const std::string& data, bool end) {
  // Behind the headers there may be more of a message that was given up with them.
  if (over_) return;
  if (side == Side::request) {
    if (turned_away_ || handshake_.keep({.kind = Piece::Kind::data, .data = data, .end = end}))
      return;
    result_.upstream.body.append(data);
    result_.upstream.complete = end;
    if (end) upstream_answers();
    return;
  }
  result_.caller.body.append(data);
  if (end) end_of_caller();
}

void Simulation::send_trailers(Side side, const HeaderMap& trailers) {
  if (over_) return;
  if (side == Side::request) {
    if (turned_away_ ||
        handshake_.keep(
            {.kind = Piece::Kind::trailers, .headers = trailers.entries(), .end = true}))
      return;
    result_.upstream.trailers = trailers.entries();
    result_.upstream.complete = true;
    upstream_answers();
    return;
  }
  result_.caller.trailers = trailers.entries();
  end_of_caller();
}

void Simulation::end_handshake() {
  for (const Piece& piece : handshake_.take(response_complete_)) {
    result_.upstream.body.append(piece.data);
    if (piece.kind == Piece::Kind::trailers) result_.upstream.trailers = piece.headers;
    result_.upstream.complete = piece.end;
  }
}

void Simulation::upstream_answers() {
  if (std::exchange(upstream_answered_, true)) return;
  if (response_started_ && !answered_locally_) return;
  upstream_.begin(exchange_.upstream, {{":status", "200"}}, exchange_.upstream_pacing, now_);
}

void Simulation::end_of_caller() {
  result_.caller.complete = true;
  over_ = true;
  caller_.stop();
  upstream_.stop();
  filter_.destroy();
}

void Simulation::reset_caller() {
  result_.caller.reset = true;
  over_ = true;
  caller_.stop();
  upstream_.stop();
  filter_.destroy();
}

void Simulation::too_large(Side side) {
  const bool request = side == Side::request;
  reply({.status = request ? 413 : 500,
         .body = request ? "Payload Too Large" : "Internal Server Error",
         .details = request ? "request_payload_too_large" : "response_payload_too_large"});
}

void Simulation::reply(const LocalReply& local) {
  if (over_) return;
  result_.response_code_details = local.details;
  std::replace(result_.response_code_details.begin(), result_.response_code_details.end(), ' ',
               '_');
  upstream_.stop();
  upstream_answered_ = true;
  if (response_left_) return reset_caller();
  auto [headers, body] = make_local_reply(local, arrived_, [&](HeaderMap& map) {
    if (local.immediate != nullptr) filter_.mutate_reply(*local.immediate, map);
  });
  if (response_started_) return reply_directly(headers, body);
  response_started_ = true;
  response_complete_ = body.empty();
  response_.arrive_headers(std::move(headers), body.empty());
  if (body.empty()) return;
  response_complete_ = true;
  response_.arrive_data(std::move(body), true);
}

void Simulation::local_headers(HeaderMap headers, bool end) {
  if (!has_status(headers)) return reply(without_status());
  answered_locally_ = response_started_ = true;
  response_complete_ = end;
  response_.arrive_headers(std::move(headers), end);
}

void Simulation::local_data(std::string data, bool end) {
  response_complete_ = end;
  response_.arrive_data(std::move(data), end);
}

void Simulation::local_trailers(HeaderMap trailers) {
  response_complete_ = true;
  response_.arrive_trailers(std::move(trailers));
}

// Past the filter, whose part of the response has begun.
void Simulation::reply_directly(const HeaderMap& headers, const std::string& body) {
  response_complete_ = true;
  send_headers(Side::response, headers, body.empty());
  if (!body.empty()) send_data(Side::response, body, true);
}

}  // namespace extproc::testing::envoy
