// Stream: what the exchange answers, and what is done with Envoy for that.
#include "filter/stream.h"

namespace extproc::filter {
namespace {

void take(const std::optional<HeaderSendMode>& mode, bool& sent) {
  if (mode) sent = *mode == HeaderSendMode::send;
}

std::vector<std::pair<std::string, std::string>> copy(std::span<const Header> headers) {
  std::vector<std::pair<std::string, std::string>> all;
  all.reserve(headers.size());
  for (const auto& [name, value] : headers) all.emplace_back(name, value);
  return all;
}

std::vector<Header> view(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::vector<Header> all;
  all.reserve(headers.size());
  for (const auto& [name, value] : headers) all.push_back({name, value});
  return all;
}

}  // namespace

// Views of the message end with the first change: nobody reads it behind the answer.
void Stream::headers(Phase phase, const HttpHeaders& message, const HeadersResponse& answer) {
  Way& way = this->way(phase);
  way.headers_owed = false;
  touch();
  if (destroyed_) return;
  using Told = std::span<const Header>;
  envoy_.change_headers(phase, answer.header_mutation(),
                        way.telling_headers ? Told(message.begin(), message.end()) : Told());
  if (answer.is_route_cache_cleared()) envoy_.clear_route_cache();
  take_extras(answer.extras_or_null());
  if (!answer.replacement()) return;
  // Envoy would hold it against what follows.
  if (!way.headers_told || !answer.header_mutation().sets(kContentLength))
    envoy_.remove_header(phase, kContentLength);
  way.replaced = true;
  take_out(way);
  add_out(way, *answer.replacement());
  // Envoy reads on only where it has room.
  if (way.body_came) {
    if (!way.in_body_hook) find_body(way);
    drop_body(way);
  }
}

// In the order in which they were told, so that what still lies with Envoy is the last. What of a
// chain answers may have no message.
void Stream::body(Phase phase, const HttpBody& /*message*/, BodyResponse& answer) {
  Way& way = this->way(phase);
  if (way.bodies_owed > 0) --way.bodies_owed;
  const bool in_place = way.bodies_owed == 0 && std::exchange(way.in_place, false);
  std::string piece = in_place ? std::string() : pop_unanswered(way);
  touch();
  if (destroyed_) return;
  if (way.buffers()) envoy_.change_headers(phase, answer.header_mutation(), {});
  if (answer.is_route_cache_cleared()) envoy_.clear_route_cache();
  take_extras(answer.extras_or_null());
  if (way.replaced) return;
  const bool kept = answer.body_change() == BodyChange::none;
  if (in_place) {
    way.passes_chunk = kept && way.in_body_hook;
    if (kept) return;
    drop_body(way);
  }
  add_out(way, kept ? piece : answer.body());
  const std::size_t limit = envoy_.buffer_limit();
  if (way.sent.body == BodySendMode::buffered && limit > 0 && way.out.size() > limit)
    refuse_too_large(way);
}

void Stream::trailers(Phase phase, const HttpTrailers& /*message*/,
                      const TrailersResponse& answer) {
  way(phase).trailers_owed = false;
  touch();
  if (destroyed_) return;
  envoy_.change_headers(phase, answer.header_mutation(), {});
  take_extras(answer.extras_or_null());
}

// In no mode that a filter can have.
void Stream::piece(Phase phase, const HttpBody& piece, const ResponseExtras* extras) {
  add_out(way(phase), piece.bytes());
  take_extras(extras);
}

void Stream::reply(Phase /*phase*/, const ImmediateResponse& response,
                   const ResponseExtras* extras) {
  take_extras(extras);
  reply_ = response;
  touch();
}

void Stream::reply_head(std::span<const Header> headers, const ResponseExtras* extras) {
  take_extras(extras);
  reply_open_ = true;
  pieces_.push_back({.kind = Piece::Kind::head, .headers = copy(headers)});
  touch();
}

void Stream::reply_chunk(std::string_view bytes, const ResponseExtras* extras) {
  take_extras(extras);
  pieces_.push_back({.kind = Piece::Kind::chunk, .bytes = std::string(bytes)});
  touch();
}

void Stream::reply_end(std::span<const Header> trailers, const ResponseExtras* extras) {
  take_extras(extras);
  reply_open_ = false;
  pieces_.push_back({.kind = Piece::Kind::end, .headers = copy(trailers)});
  touch();
}

// Nobody waits for less.
void Stream::ask_for_time(std::chrono::milliseconds /*time*/) {}

// Nothing more is read than what is worked on.
void Stream::consumed(Phase /*phase*/, std::size_t /*bytes*/) {}

// Envoy tells that to filters without an upstream alone.
bool Stream::congested(Phase /*phase*/) const { return false; }

std::size_t Stream::held_bytes() const { return 0; }

void Stream::take_extras(const ResponseExtras* extras) {
  if (extras == nullptr || destroyed_) return;
  envoy_.set_metadata(*extras);
  if (extras->mode_override) override_mode(*extras->mode_override);
}

void Stream::override_mode(const ModeOverride& mode) {
  take(mode.response_header_mode, response_.sent.headers);
  take(mode.request_trailer_mode, request_.sent.trailers);
  take(mode.response_trailer_mode, response_.sent.trailers);
  if (mode.request_body_mode) request_.sent.body = *mode.request_body_mode;
  if (mode.response_body_mode) response_.sent.body = *mode.response_body_mode;
}

bool Stream::do_asked() {
  if (destroyed_) return false;
  if (over_limit_ && end_ == End::none) finish(GrpcStatus::resource_exhausted, "memory_bytes");
  while (!pieces_.empty() && !destroyed_) {
    const auto pieces = std::exchange(pieces_, {});
    for (const Piece& piece : pieces) {
      if (destroyed_) break;
      replied_ = true;
      switch (piece.kind) {
        case Piece::Kind::head:
          envoy_.reply_head(view(piece.headers));
          break;
        case Piece::Kind::chunk:
          envoy_.reply_chunk(piece.bytes);
          break;
        case Piece::Kind::end:
          envoy_.reply_end(view(piece.headers));
          break;
        case Piece::Kind::reset:
          envoy_.reset(piece.bytes);
          break;
      }
    }
  }
  if (reply_ && !destroyed_) {
    replied_ = true;
    const auto reply = std::exchange(reply_, std::nullopt);
    envoy_.reply(*reply);
  }
  return !replied_ && !destroyed_;
}

}  // namespace extproc::filter
