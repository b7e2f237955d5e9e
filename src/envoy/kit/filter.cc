// What the filter does with the pieces of a message as they come.
#include "envoy/kit/filter.h"

#include <utility>

#include "envoy/kit/attributes.h"
#include "rules/framing_rules.h"

namespace extproc::testing::envoy {

Filter::Filter(const FilterConfig& config, std::size_t buffer_limit, FilterHost& host,
               ProcessorStream& stream, Record record)
    : config_(config),
      buffer_limit_(buffer_limit),
      host_(host),
      stream_(stream),
      record_(record),
      request_(make_direction(Side::request, config.first_mode())),
      response_(make_direction(Side::response, config.first_mode())) {}

bool Filter::removes_content_length(const Direction& d) const {
  return !config_.allow_content_length_header &&
         rules::removes_content_length(d.body_mode, d.send_headers);
}

Step Filter::on_headers(Side side, bool end) {
  Direction& d = direction(side);
  if (side == Side::request) {
    // The filters in front had their turn.
    for (const auto& [name, fields] : host_.exchange().dynamic_metadata)
      metadata_[name] = write_struct(fields);
  }
  if (d.send_headers && config_.observability_mode) {
    if (open_stream()) send_headers(d, end);
    return Step::proceed;
  }
  if (end) d.body_complete = true;

  Step step = Step::proceed;
  if (d.send_headers && open_stream()) {
    d.headers_open = true;
    d.no_body = end;
    d.paused = true;
    send_headers(d, end);
    step = Step::stop;
  }
  if (!complete_ && removes_content_length(d)) pipe(d).headers.remove("content-length");
  return step;
}

Step Filter::on_data(Side side, std::string& data, bool end) {
  Direction& d = direction(side);
  if (!data.empty() || end) d.body_received = true;
  if (config_.observability_mode) return observe_data(d, data, end);
  if (end) d.body_complete = true;
  if (d.body_replaced) {
    data.clear();
    return Step::proceed;
  }
  if (local_response_ && side == Side::request && !d.full_duplex()) {
    data.clear();
    return Step::stop;
  }
  if (complete_) return Step::proceed;

  const bool pipelined = d.full_duplex() || (d.body_mode == BodySendMode::streamed &&
                                             config_.send_body_without_waiting);
  if (d.waiting == Waiting::headers && !pipelined) {
    d.paused = true;
    return d.body_mode == BodySendMode::buffered ? Step::stop_and_buffer : Step::stop_and_watermark;
  }
  switch (d.body_mode) {
    case BodySendMode::buffered:
      return buffered_data(d, data, end);
    case BodySendMode::streamed:
    case BodySendMode::full_duplex_streamed:
      return streamed_data(d, data, end);
    case BodySendMode::buffered_partial:
      return partial_data(d, data, end);
    default:
      return Step::proceed;
  }
}

Step Filter::buffered_data(Direction& d, std::string& data, bool end) {
  if (!end) {
    d.paused = true;
    return Step::stop_and_buffer;
  }
  if (!open_stream()) return Step::proceed;
  pipe(d).buffer(data);
  send_body(d, *pipe(d).buffered, end, Waiting::buffered_body);
  d.paused = true;
  return Step::stop;
}

Step Filter::streamed_data(Direction& d, std::string& data, bool end) {
  if (data.empty() && !end) return d.waiting == Waiting::headers ? Step::stop : Step::proceed;
  if (!open_stream()) return Step::proceed;
  const bool before_headers = d.waiting == Waiting::headers;
  const std::string chunk = std::exchange(data, {});
  if (!d.full_duplex()) d.queue.push(chunk, end);
  send_body(d, chunk, end, before_headers ? Waiting::headers : Waiting::streamed_body);
  if (!end && !before_headers) return Step::proceed;
  d.paused = true;
  return Step::stop;
}

bool Filter::is_full(Side side) const {
  const Direction& d = side == Side::request ? request_ : response_;
  return !complete_ && d.body_mode == BodySendMode::streamed && d.queue.bytes() > buffer_limit_;
}

Step Filter::partial_data(Direction& d, std::string& data, bool end) {
  if (d.partial_done) {
    d.headers_open = false;
    return Step::proceed;
  }
  d.queue.push(std::exchange(data, {}), end);
  if (d.waiting == Waiting::partial_body) {
    d.paused = true;
    return Step::stop;
  }
  if (end || d.queue.bytes() > buffer_limit_) {
    if (!open_stream()) return Step::proceed;
    const auto& all = d.queue.join();
    send_body(d, all.data, all.end, Waiting::partial_body);
    d.paused = true;
  }
  return Step::stop;
}

Step Filter::observe_data(Direction& d, const std::string& data, bool end) {
  if (d.body_mode == BodySendMode::streamed) {
    if (open_stream()) send_body(d, data, end, Waiting::nothing);
  } else if (d.body_mode != BodySendMode::none) {
    record_.refuse(d.body_phase, "observability_mode", "processing_mode",
                   "only STREAMED bodies are sent in observability mode");
  }
  return Step::proceed;
}

Step Filter::on_trailers(Side side) {
  Direction& d = direction(side);
  const bool unwanted = local_response_ && side == Side::request && !d.full_duplex();
  if (unwanted && !d.send_trailers) return Step::stop;
  if (complete_) return Step::proceed;
  if (d.send_trailers && config_.observability_mode) {
    if (open_stream()) send_trailers(d);
    return Step::proceed;
  }
  const bool body_delivered = std::exchange(d.body_complete, true);
  d.trailers_open = true;
  if (d.waiting != Waiting::nothing && !d.full_duplex()) {
    d.paused = true;
    return Step::stop;
  }
  const bool buffered = d.body_mode == BodySendMode::buffered && pipe(d).buffered;
  const bool partial = d.body_mode == BodySendMode::buffered_partial && !d.queue.empty();
  if (!body_delivered && (buffered || partial)) {
    // Only now is the body known to be complete.
    if (!open_stream()) return Step::proceed;
    if (buffered) {
      send_body(d, *pipe(d).buffered, false, Waiting::buffered_body);
    } else {
      send_body(d, d.queue.join().data, false, Waiting::partial_body);
    }
    d.paused = true;
    return Step::stop;
  }
  if (!d.send_trailers || !open_stream()) return Step::proceed;
  send_trailers(d);
  d.paused = true;
  return Step::stop;
}

}  // namespace extproc::testing::envoy
