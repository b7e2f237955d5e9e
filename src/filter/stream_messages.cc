// Stream: what of a direction the exchange is told, when, and what of it waits.
#include <algorithm>
#include <utility>

#include "filter/attributes.h"
#include "filter/envoy_log.h"
#include "filter/stream.h"
#include "rules/framing_rules.h"

namespace extproc::filter {
namespace {

/// Of what is used again and again.
void let_go_if_large(std::string& text) {
  constexpr std::size_t kLarge = std::size_t{16} << 10;
  if (text.capacity() > kLarge) std::string().swap(text);
}

}  // namespace

void Stream::tell_observed() {
  while (!observed_.empty() && !paused_ && end_ == End::none && !over_limit_) {
    const auto before = static_cast<std::ptrdiff_t>(observed_.bytes());
    observed_.tell_first(*exchange_);
    kept(static_cast<std::ptrdiff_t>(observed_.bytes()) - before);
  }
}

void Stream::tell(Way& way) {
  if (way.headers_came && !way.headers_told && !is_over() && !holds_up()) tell_headers(way);
  if (way.is_full && !is_over() && !holds_up() && reads_no_more(way)) return refuse_too_large(way);
  while (!is_over() && tells_body_now(way)) tell_body(way);
  if (!is_over() && tells_trailers_now(way)) tell_trailers(way);
}

void Stream::tell_headers(Way& way) {
  way.headers_told = true;
  if (!way.sent.headers) {
    // As Envoy does it for ext_proc.
    if (!way.headers_end && rules::removes_content_length(way.sent.body, false) &&
        !in_force_->config().filter.allow_content_length_header)
      envoy_.remove_header(way.headers, kContentLength);
    return;
  }
  std::vector<Header>& entries = worker_->read_headers();
  envoy_.read_headers(way.headers, entries);
  if (is_request(way)) envoy_.note_request(entries);
  way.headers_owed = true;
  host::Message message{.phase = way.headers, .end_of_stream = way.headers_end, .headers = entries};
  way.end_told = way.headers_end;
  way.telling_headers = true;
  on(way, message);
  way.telling_headers = false;
  // As many as no common message has.
  constexpr std::size_t kKeptHeaders = 1024;
  if (entries.capacity() > kKeptHeaders) std::vector<Header>().swap(entries);
}

bool Stream::tells_body_now(const Way& way) const {
  if (holds_up() || way.replaced || !way.body_came || !way.headers_told || way.end_told)
    return false;
  switch (way.sent.body) {
    case BodySendMode::streamed:
      // The next is told when the one before is answered; but those that the headers wait for are
      // read ahead.
      if (way.passes_chunk || (way.bodies_owed > 0 && !way.headers_owed)) return false;
      return way.untold || envoy_.body_bytes(way.body, way.place) > 0 || way.ended;
    case BodySendMode::buffered:
      return !way.whole_told && way.body_ended() && !goes_over_limit(way);
    case BodySendMode::buffered_partial:
      return !way.whole_told &&
             (way.body_ended() || envoy_.body_bytes(way.body, way.place) >= envoy_.buffer_limit());
    default:
      return false;
  }
}

// With what the hook was called with the body is more than Envoy buffers: left there, Envoy answers
// in place of the upstream, as it does for what came before.
bool Stream::goes_over_limit(const Way& way) const {
  return way.place.received && is_over_limit(way);
}

// A body that is full, and to be told as a whole: its end could not come.
bool Stream::reads_no_more(const Way& way) const {
  return way.sent.body == BodySendMode::buffered && !way.whole_told && !way.headers_owed &&
         !way.replaced && !(is_request(way) && response_.headers_came);
}

bool Stream::is_over_limit(const Way& way) const {
  const std::size_t limit = envoy_.buffer_limit();
  return limit > 0 && envoy_.body_bytes(way.body, way.place) > limit;
}

// As Envoy does it.
void Stream::refuse_too_large(const Way& way) {
  const bool of_request = is_request(way);
  reply_ = {.status = of_request ? 413 : 500,
            .body = of_request ? "Payload Too Large" : "Internal Server Error",
            .details = of_request ? "request_payload_too_large" : "response_payload_too_large"};
}

void Stream::drop_body(Way& way) {
  envoy_.drop_body(way.body, way.place);
  way.left = 0;
}

// Out of Envoy, to be kept until it is answered, with what is not told.
std::string_view Stream::take_piece(Way& way) {
  const std::string_view bytes = envoy_.read_body(way.body, way.place, text_);
  kept(static_cast<std::ptrdiff_t>(bytes.size()));
  if (std::exchange(way.untold, false)) {
    way.unanswered.last().append(bytes);
  } else {
    way.unanswered.push(bytes);
  }
  drop_body(way);
  return way.unanswered.last();
}

// What comes while it cannot be told does not stay with Envoy, where filters behind that go on of
// themselves would let it go, and the router would send it where it tries again: but for what is
// more than Envoy's limit, so that nothing more is read then. As long as they may do that, the
// limit is too tight for what comes.
void Stream::take_untold(Way& way) {
  if (way.sent.body != BodySendMode::streamed || way.passes_chunk || way.replaced || is_over() ||
      !way.headers_told || way.headers_owed)
    return;
  const std::size_t bytes = envoy_.body_bytes(way.body, way.place);
  if (bytes == 0) return;
  const std::size_t limit = envoy_.buffer_limit();
  const std::size_t untold = bytes + (way.untold ? way.unanswered.last().size() : 0);
  if (limit > 0 && untold > limit &&
      (untold > in_force_->config().held_bytes || !others_may_send(way))) {
    if (!is_request(way) || response_.headers_came || sends_twice(way) == 0) return;
    log_to_envoy(LogLevel::error,
                 "a body came faster than its handler answers, on a route that tries again: the "
                 "request fails, held_bytes_per_stream is too little (docs/in-envoy.md)");
    return refuse_too_large(way);
  }
  take_piece(way);
  way.untold = true;
}

std::string Stream::pop_unanswered(Way& way) {
  if (way.unanswered.size() <= std::size_t{way.untold}) return {};
  std::string piece = way.unanswered.pop();
  kept(-static_cast<std::ptrdiff_t>(piece.size()));
  return piece;
}

void Stream::tell_body(Way& way) {
  const bool whole = way.sent.body == BodySendMode::buffered;
  way.whole_told = way.buffers();
  way.end_told = way.ended;
  // A body that is told as a whole stays with Envoy, and so does a chunk that comes alone: what is
  // answered at once, and not changed, then costs no copy.
  way.in_place = whole || (way.in_body_hook && way.out.empty() && !way.untold);
  host::Message message{.phase = way.body, .end_of_stream = way.ended};
  // A piece goes with its answer, which may come before the exchange is done with it.
  message.body = way.in_place ? envoy_.read_body(way.body, way.place, text_)
                              : std::string_view(text_.assign(take_piece(way)));
  ++way.bodies_owed;
  on(way, message);
  // What comes behind a chunk that was not answered must not go on with it.
  if (!whole && std::exchange(way.in_place, false)) {
    if (way.bodies_owed > 0) {
      take_piece(way);
    } else {
      way.passes_chunk = true;
    }
  }
  let_go_if_large(text_);
}

bool Stream::tells_trailers_now(const Way& way) const {
  return way.trailers_came && !way.trailers_told && !holds_up() && !way.replaced &&
         way.sent.trailers && !has_untold_body(way);
}

// Of a streamed body the next chunk is told when the one before is answered.
bool Stream::has_untold_body(const Way& way) const {
  if (!way.body_came || way.end_told || way.sent.body == BodySendMode::none) return false;
  if (way.buffers()) return !way.whole_told;
  return way.untold || (!way.passes_chunk && envoy_.body_bytes(way.body, way.place) > 0);
}

void Stream::tell_trailers(Way& way) {
  way.trailers_told = way.end_told = true;
  way.trailers_owed = true;
  std::vector<Header>& entries = worker_->read_headers();
  envoy_.read_headers(way.trailers, entries);
  host::Message message{.phase = way.trailers, .headers = entries};
  on(way, message);
}

void Stream::on(Way& way, host::Message& message) {
  told_last_ = &way;
  const FilterConfig& config = in_force_->config();
  message.observability_mode = config.observability_mode;
  if (first_)
    message.protocol_config = in_force_->modes().protocol_config(config.send_body_without_waiting);
  first_ = false;
  const auto& names = is_request(way) ? config.request_attributes : config.response_attributes;
  const EnvoySource source(envoy_.filter(), names, config, worker_->kinds());
  if (!names.empty() && !way.attributes_told) message.has_attributes = true;
  if (tells_metadata(config)) {
    message.has_metadata = true;
    message.metadata_bytes = 1;
  }
  if (message.has_attributes || message.has_metadata) message.source = &source;
  way.attributes_told = true;
  if (!config.observability_mode) return exchange_->on(message);
  if (paused_ || !observed_.empty()) {
    const auto before = static_cast<std::ptrdiff_t>(observed_.bytes());
    observed_.push(message);
    kept(static_cast<std::ptrdiff_t>(observed_.bytes()) - before);
  } else {
    exchange_->on(message);
  }
  // Nothing is answered.
  way.headers_owed = way.trailers_owed = false;
  way.bodies_owed = 0;
}

// Whether something of the direction is not to go on yet.
bool Stream::waits(const Way& way) const {
  if (way.replaced) return !way.body_ended();
  if (is_over() || observes()) return false;
  if (way.owes() || (way.headers_came && !way.headers_told)) return true;
  switch (way.sent.body) {
    case BodySendMode::none:
      break;
    case BodySendMode::buffered:
    case BodySendMode::buffered_partial:
      // Its headers may be changed with it.
      if (!way.whole_told && !way.body_ended() && way.sent.headers) return true;
      if (!way.whole_told && way.body_came) return true;
      break;
    default:
      if (way.untold) return true;
      if (way.body_came && !way.end_told && paused_ && !way.passes_chunk &&
          (envoy_.body_bytes(way.body, way.place) > 0 || way.ended))
        return true;
  }
  return way.trailers_came && way.sent.trailers && !way.trailers_told;
}

// Where handlers wait it may stay until the next hook.
void Stream::add_out(Way& way, std::string_view bytes) {
  way.out.append(bytes);
  if (worker_->loop() != nullptr) kept(static_cast<std::ptrdiff_t>(bytes.size()));
}

std::string Stream::take_out(Way& way) {
  if (way.out.empty()) return {};
  if (worker_->loop() != nullptr) kept(-static_cast<std::ptrdiff_t>(way.out.size()));
  return std::exchange(way.out, {});
}

void Stream::let_out(Way& way) {
  collect_unanswered(way);
  put_out(way);
}

void Stream::collect_unanswered(Way& way) {
  if (way.replaced) drop_body(way);
  way.untold = false;
  while (!way.unanswered.empty()) {
    const std::string piece = pop_unanswered(way);
    if (!way.replaced) add_out(way, piece);
  }
}

// Puts what was taken, and answered, before what Envoy has of the body.
void Stream::put_out(Way& way) {
  if (!way.out.empty()) envoy_.prepend_body(way.body, way.place, take_out(way));
}

}  // namespace extproc::filter
