// What comes from the caller, the upstream and the processor, in which order, and when.
#include "envoy/kit/connection_manager.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "envoy/kit/http_message.h"

namespace extproc::testing::envoy {
namespace {

// The largest DATA frame of HTTP/2, unless both sides agree on more.
constexpr std::size_t kFrame = 16384;

/// Nothing where there is none.
std::optional<Time> earliest(std::initializer_list<std::optional<Time>> times) {
  std::optional<Time> first;
  for (const auto& time : times) {
    if (time && (!first || *time < *first)) first = time;
  }
  return first;
}

}  // namespace

ConnectionManager::ConnectionManager(PipeFilter& filter, const EnvoyOptions& options,
                                     const Exchange& exchange)
    : options_(options),
      exchange_(exchange),
      request_(Side::request, filter, *this, options.buffer_limit_bytes),
      response_(Side::response, filter, *this, options.buffer_limit_bytes) {
  caller_.begin(
      exchange.request,
      {{":method", "GET"}, {":scheme", "http"}, {":authority", "localhost"}, {":path", "/"}},
      exchange.request_pacing, now_);
}

EnvoyResult ConnectionManager::run() {
  while (!over_ && step()) {
  }
  destroy_filter();
  finish();
  return std::move(result_);
}

// What is ready comes first; then what the upstream and the caller still have; then time passes.
bool ConnectionManager::step() {
  return ask_processor() || take_piece(Side::response) || take_piece(Side::request) || wait();
}

std::optional<Time> ConnectionManager::later(Side side) const {
  return sender(side).is_ready(now_) ? std::nullopt : next_piece(side);
}

bool ConnectionManager::ask_processor() {
  // A piece that is there waits for the processor; one that is still to come does not.
  const auto next = earliest({next_timer(), later(Side::request), later(Side::response)});
  return take_from_processor(next ? std::max(*next - now_, Time{0}) : Time::max(),
                             is_ready(Side::request) || is_ready(Side::response));
}

bool ConnectionManager::take_piece(Side side) {
  Sender& from = sender(side);
  if (!is_ready(side)) return false;
  do {
    arrive(side, from.take(now_));
  } while (from.goes_on(now_) && is_ready(side) && !over_);
  if (side == Side::response) end_handshake();
  return true;
}

void ConnectionManager::arrive(Side side, Piece piece) {
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

void ConnectionManager::arrive_headers(Side side, HeaderMap headers, bool end) {
  const bool bodiless = side == Side::response && has_no_body(headers, asked_);
  if (!length(side).on_headers(headers, end, bodiless)) return break_off(side);
  if (side == Side::response) {
    handshake_.answered();
    if (answered_locally_) return second_response(headers, end);
    response_started_ = true;
    response_complete_ = end;
  } else {
    // No filter gets to see these.
    if (headers.size() > options_.max_headers_count ||
        headers.byte_size() > options_.max_headers_kb * 1024)
      return reset_caller();
    if (is_refused(headers)) return reply({.status = 400, .details = "query_missing_content_type"});
    arrived_ = headers;
  }
  pipe(side).arrive_headers(limited(std::move(headers)), end);
}

void ConnectionManager::arrive_data(Side side, std::string data, bool end) {
  if (over_) return;
  if (!length(side).on_data(data.size(), end)) return break_off(side);
  response_complete_ = response_complete_ || (side == Side::response && end);
  pipe(side).arrive_data(std::move(data), end);
}

// A message that breaks HTTP costs the connection.
void ConnectionManager::break_off(Side side) {
  if (side == Side::request) return reset_caller();
  reply({.status = 502,
         .body = "upstream connect error or disconnect/reset before headers. reset reason: "
                 "protocol error",
         .details = "upstream_reset_before_response_started{protocol_error}"});
}

// Behind the processor's own response the upstream's gets to the caller too, for whom what begins
// it is trailers, or breaks HTTP/2.
void ConnectionManager::second_response(const HeaderMap& headers, bool end) {
  if (!end) return reset_caller();
  result_.caller.trailers = headers.entries();
  end_of_caller();
}

HeaderMap ConnectionManager::limited(HeaderMap headers) const {
  headers.max_count = options_.max_headers_count;
  headers.max_bytes = options_.max_headers_kb * 1024;
  return headers;
}

bool ConnectionManager::wait() {
  const auto next = earliest({next_timer(), next_piece(Side::request), next_piece(Side::response)});
  if (!next) return false;
  now_ = std::max(now_, *next);
  on_time();
  return true;
}

}  // namespace extproc::testing::envoy
