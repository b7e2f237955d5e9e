// What gets to the upstream and to the caller, and what Envoy answers itself.
#include <algorithm>
#include <utility>

#include "envoy/kit/connection_manager.h"
#include "envoy/kit/http_message.h"
#include "envoy/kit/local_reply.h"

namespace extproc::testing::envoy {
namespace {

/// Of a request.
LocalReply without_header(const std::string& name) {
  return {
      .status = 503,
      .body = "missing required header: " + name,
      .details = "filter_removed_required_request_headers{missing_required_header:_" + name + "}"};
}

LocalReply without_status() {
  return {.status = 502,
          .body = "missing required header: :status",
          .details = "filter_removed_required_response_headers"};
}

}  // namespace

// What a processor may make of a request so that it gets to no upstream.
std::optional<LocalReply> ConnectionManager::refused_on_the_way(const HeaderMap& request) const {
  const auto* path = request.get(":path");
  if (result_.route_cache_cleared && path != nullptr && !path->starts_with('/'))
    return LocalReply{.status = 404, .details = "route_not_found"};
  const auto* method = request.get(":method");
  if (method == nullptr) return without_header(":method");
  if (*method == "CONNECT") return without_header(":protocol");
  if (path == nullptr) return without_header(":path");
  return std::nullopt;
}

bool ConnectionManager::can_continue(Side side) const {
  return !over_ && (side == Side::request ? !response_complete_ : true);
}

void ConnectionManager::send_headers(Side side, const HeaderMap& headers, bool end) {
  if (over_) return;
  if (side == Side::request) {
    if (const auto refused = refused_on_the_way(headers)) {
      turned_away_ = true;
      return reply(*refused);
    }
    result_.upstream.reached = true;
    HeaderMap left = headers;
    // A scheme that is none, or missing, becomes that of the upstream's connection.
    if (const auto* scheme = left.get(":scheme"); scheme == nullptr || !is_scheme(*scheme))
      left.set(":scheme", "http");
    // The router's own: what it reads from it, it takes out.
    left.remove("x-envoy-retriable-status-codes");
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

void ConnectionManager::send_data(Side side, const std::string& data, bool end) {
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

void ConnectionManager::send_trailers(Side side, const HeaderMap& trailers) {
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

void ConnectionManager::end_handshake() {
  for (const Piece& piece : handshake_.take(response_complete_)) {
    result_.upstream.body.append(piece.data);
    if (piece.kind == Piece::Kind::trailers) result_.upstream.trailers = piece.headers;
    result_.upstream.complete = piece.end;
  }
}

void ConnectionManager::upstream_answers() {
  if (std::exchange(upstream_answered_, true)) return;
  if (response_started_ && !answered_locally_) return;
  upstream_.begin(exchange_.upstream, {{":status", "200"}}, exchange_.upstream_pacing, now_);
}

void ConnectionManager::end_of_caller() {
  result_.caller.complete = true;
  over_ = true;
  caller_.stop();
  upstream_.stop();
  destroy_filter();
}

void ConnectionManager::reset_caller() {
  result_.caller.reset = true;
  over_ = true;
  caller_.stop();
  upstream_.stop();
  destroy_filter();
}

void ConnectionManager::too_large(Side side) {
  const bool request = side == Side::request;
  reply({.status = request ? 413 : 500,
         .body = request ? "Payload Too Large" : "Internal Server Error",
         .details = request ? "request_payload_too_large" : "response_payload_too_large"});
}

void ConnectionManager::reply(const LocalReply& local) {
  if (over_) return;
  result_.response_code_details = local.details;
  std::replace(result_.response_code_details.begin(), result_.response_code_details.end(), ' ',
               '_');
  upstream_.stop();
  upstream_answered_ = true;
  if (response_left_) return reset_caller();
  auto [headers, body] = make_local_reply(local, arrived_);
  if (response_started_) return reply_directly(headers, body);
  response_started_ = true;
  response_complete_ = body.empty();
  response_.arrive_headers(std::move(headers), body.empty());
  if (body.empty()) return;
  response_complete_ = true;
  response_.arrive_data(std::move(body), true);
}

void ConnectionManager::local_headers(HeaderMap headers, bool end) {
  if (!has_status(headers)) return reply(without_status());
  answered_locally_ = response_started_ = true;
  response_complete_ = end;
  response_.arrive_headers(std::move(headers), end);
}

void ConnectionManager::local_data(std::string data, bool end) {
  response_complete_ = end;
  response_.arrive_data(std::move(data), end);
}

void ConnectionManager::local_trailers(HeaderMap trailers) {
  response_complete_ = true;
  response_.arrive_trailers(std::move(trailers));
}

// Past the filter, whose part of the response has begun.
void ConnectionManager::reply_directly(const HeaderMap& headers, const std::string& body) {
  response_complete_ = true;
  send_headers(Side::response, headers, body.empty());
  if (!body.empty()) send_data(Side::response, body, true);
}

}  // namespace extproc::testing::envoy
