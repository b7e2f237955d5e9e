// Stream: where a body lies that Envoy keeps for all filters in one place, and how it goes on.
#include <algorithm>
#include <utility>

#include "filter/attributes.h"
#include "filter/envoy_log.h"
#include "filter/stream.h"

namespace extproc::filter {
namespace {

/// The router reads what statuses it is to try again for from it, passes over what is no number,
/// and takes it out, whether it tries again or not.
constexpr std::string_view kRouterMark = "x-envoy-retriable-status-codes";

}  // namespace

// What of a body lies where, and whether that is full, before anything is done with it.
void Stream::find_body(Way& way) {
  const bool is_kept = way.in_body_hook && envoy_.received_is_kept(way.body);
  way.place.received = way.in_body_hook && !is_kept;
  const std::size_t kept = envoy_.kept_bytes(way.body);
  if (is_kept) {
    // A filter in front has kept it. What this one has let go and one behind holds is shown again,
    // but for what the router keeps: see continue_message().
    way.place.gone = std::min(shown_again(way), kept);
  } else {
    if (kept < way.left) fail_overtaken(way);
    way.place.gone = kept - std::min(kept, way.left);
  }
  // Only where it is to be told as a whole does that matter. Envoy says it of what makes it so, but
  // not where it had stopped to read before.
  if (way.sent.body == BodySendMode::buffered && kept > way.place.gone) {
    const std::size_t limit = envoy_.buffer_limit();
    way.is_full = limit > 0 && kept - way.place.gone > limit;
  }
}

// A filter behind that goes on of itself lets go of all that Envoy keeps, so that what waits here
// has gone by unseen.
void Stream::fail_overtaken(Way& way) {
  way.left = 0;
  if (is_over() || (is_request(way) && response_.headers_came)) return;
  fail_body("extproc_body_overtaken",
            "a filter behind this one has let go of a body that waits here: the request fails. Use "
            "a chain, or another order of filters (docs/in-envoy.md)");
}

// Whatever `failure_mode_allow` says: the body is not what it was.
void Stream::fail_body(std::string_view details, std::string_view why) {
  log_to_envoy(LogLevel::error, why);
  end_ = End::fails;
  reply_ = {.status = 500, .details = std::string(details)};
}

// When the request begins, since headers are not to change while a handler reads them.
void Stream::find_neighbours() {
  if (request_.sent.body == BodySendMode::none && response_.sent.body == BodySendMode::none) return;
  const auto mark = envoy_.request_header(kRouterMark);
  if (!mark) return;
  waiting_->neighbours = Neighbours::find(*mark, connection_id(envoy_.filter()));
  if (waiting_->neighbours != nullptr) waiting_->neighbours->join(*this);
}

// A handler that waits lets a body go in more than one piece, and then it matters who has what is
// before it, and who what is behind.
void Stream::mark(Way& way) {
  if (std::exchange(way.went, true) || !is_request(way) || !waiting_ ||
      waiting_->neighbours != nullptr)
    return;
  if ((way.headers_end || way.sent.body != BodySendMode::streamed) &&
      response_.sent.body != BodySendMode::streamed)
    return;
  waiting_->neighbours = Neighbours::make(connection_id(envoy_.filter()));
  waiting_->neighbours->join(*this);
  envoy_.add_request_header(kRouterMark, waiting_->neighbours->mark());
}

// The router keeps what it is sent, where it may try again.
bool Stream::router_has(const Way& way) const {
  if (!is_request(way)) return false;
  if (response_.headers_came) return true;
  return waiting_ && waiting_->neighbours != nullptr ? !envoy_.request_header(kRouterMark)
                                                     : has_upstream(envoy_.filter());
}

// Those of the HTTP stream that the direction passes before this one.
Stream::Streams Stream::before(const Way& way) const {
  if (!waiting_ || waiting_->neighbours == nullptr) return {};
  return waiting_->neighbours->before(*this, is_request(way));
}
Stream::Streams Stream::after(const Way& way) const {
  if (!waiting_ || waiting_->neighbours == nullptr) return {};
  return waiting_->neighbours->after(*this, is_request(way));
}

std::size_t Stream::sum(Streams streams, const Way& way, std::size_t Way::*bytes) const {
  std::size_t all = 0;
  for (const Stream* const stream : streams) all += same(way, *stream).*bytes;
  return all;
}

// The last of what Envoy keeps, where it waits for those that have it before this one.
std::string Stream::hide_left_before(Way& way) {
  const std::size_t left = sum(before(way), way, &Way::left);
  if (left == 0) return {};
  const std::size_t kept = envoy_.kept_bytes(way.body);
  return envoy_.cut_kept(way.body, kept - std::min(kept, left), left);
}

// Of what has gone on from here, what a filter in front shows again: all that those behind keep in
// Envoy, but for the router. Another file's are known by what there was.
std::size_t Stream::shown_again(const Way& way) const {
  if (const Streams behind = after(way); !behind.empty()) return sum(behind, way, &Way::left);
  return is_request(way) && way.went && !router_has(way) ? way.place.gone : 0;
}

// Envoy takes for the end of what goes on from here that the end has come to whom it comes first.
bool Stream::end_is_before(const Way& way) const {
  return !way.body_ended() && std::ranges::any_of(before(way), [&](const Stream* stream) {
    return same(way, *stream).body_ended();
  });
}

// Envoy lets all go on that it keeps, what filters behind this one hold as well, who expect that.
// The router, which keeps what it has sent where it may try again, would send it a second time.
std::size_t Stream::sends_twice(const Way& way) const {
  const std::size_t gone =
      way.place.gone - std::min(way.place.gone, sum(after(way), way, &Way::left));
  return gone > 0 && router_has(way) ? gone : 0;
}

// What waits in Envoy may be sent from there: by those who hold the request, until they go on, and
// by the router, as long as it may try again. Before anything has gone on nobody tells whether the
// route has it do that.
bool Stream::others_may_send(const Way& way) const {
  if (!is_request(way) || response_.headers_came) return false;
  const auto has_none = [&](const Stream* stream) { return same(way, *stream).body_went == 0; };
  return !router_has(way) || has_none(this) || std::ranges::any_of(after(way), has_none) ||
         sends_twice(way) > 0;
}

void Stream::go_on(Way& way) {
  collect_unanswered(way);
  if (end_is_before(way) || collects(way)) return;
  put_out(way);
  continue_message(way);
}

// What is answered while more waits would wait for that, and where chunks come faster than they are
// answered, for the end. Envoy goes on once for each time that it was stopped: with the hook that
// is about to stop it anew there is one to spare. True where what the hook was called with was
// taken for that, since all that Envoy keeps goes.
bool Stream::go_ahead(Way& way) {
  if (!way.stopped || way.out.empty() || way.replaced || is_over() || end_is_before(way))
    return false;
  const bool is_kept = envoy_.received_is_kept(way.body);
  way.in_body_hook = is_kept;
  find_body(way);
  if (is_kept) take_untold(way);
  way.in_body_hook = false;
  if (envoy_.body_bytes(way.body, way.place) > 0 || collects(way)) return false;
  put_out(way);
  continue_message(way);
  return is_kept;
}

// The router gives up on another try where what it keeps and what comes are more than Envoy's
// limit. Of what goes on from here it sees that alone. So what would be too much waits until it is
// too much by itself; a body that ends is kept as a whole, of which nothing more is read.
bool Stream::collects(Way& way) {
  if (way.body_ended() || response_.headers_came) return false;
  const std::size_t gone = sends_twice(way) + sum(before(way), way, &Way::hidden);
  const std::size_t limit = envoy_.buffer_limit();
  const std::size_t comes = way.out.size() + envoy_.body_bytes(way.body, way.place);
  if (gone == 0 || limit == 0 || gone + comes <= limit || comes > limit) return false;
  add_out(way, envoy_.read_body(way.body, way.place, text_));
  drop_body(way);
  return true;
}

// The end goes to a filter that holds what has gone on, and may tell the length of what it has
// seen.
bool Stream::is_counted_again(const Way& way) const {
  return is_request(way) && way.body_ended() && way.place.gone > 0 && after(way).empty() &&
         !router_has(way) && !envoy_.request_header(kContentLength);
}

// One that counts what it is shown twice has told the upstream a length that is none, and the next
// request on that connection would be a part of this.
void Stream::check_length() {
  const auto length = envoy_.request_header(kContentLength);
  if (!length || *length == std::to_string(request_.body_went)) return;
  fail_body("extproc_body_counted_twice",
            "a filter behind this one has counted a body twice: the request fails. Put it in front "
            "of this one (docs/in-envoy.md)");
}

void Stream::continue_message(Way& way) {
  const std::size_t twice = sends_twice(way);
  const std::string gone = twice > 0 ? envoy_.cut_kept(way.body, 0, twice) : std::string();
  const bool may_be_counted = is_counted_again(way);
  way.body_went += envoy_.kept_bytes(way.body) - (way.place.gone - gone.size());
  mark(way);
  way.goes();
  way.hidden = gone.size();
  envoy_.go_on(way.headers);
  way.hidden = 0;
  if (may_be_counted && !destroyed_) check_length();
  if (gone.empty() || destroyed_) return;
  const std::size_t all = envoy_.kept_bytes(way.body);
  const std::size_t kept = all - std::min(all, sum(after(way), way, &Way::left));
  const std::size_t limit = envoy_.buffer_limit();
  if (limit == 0 || gone.size() + kept <= limit || (kept > 0 && way.body_ended())) {
    envoy_.prepend_body(way.body, {}, gone);
  } else if (kept > 0 && !response_.headers_came) {
    // It keeps more than Envoy reads on with.
    refuse_too_large(way);
  }
  // Else it does not try again.
}

}  // namespace extproc::filter
