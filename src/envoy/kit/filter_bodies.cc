// How the filter takes a reply to headers or a body: what becomes of the body in each mode.
#include <utility>

#include "envoy/kit/filter.h"

namespace extproc::testing::envoy {
namespace {

void apply_body(const BodyMutation& mutation, std::string& data) {
  if (mutation.kind == BodyMutation::Kind::body) data = mutation.bytes;
  if (mutation.kind == BodyMutation::Kind::clear && mutation.clear) data.clear();
}

std::optional<std::size_t> number(const std::string* text) {
  if (text == nullptr || text->empty() ||
      text->find_first_not_of("0123456789") != std::string::npos || text->size() > 18)
    return std::nullopt;
  return std::stoull(*text);
}

}  // namespace

Waiting Filter::waiting_after_headers(const Direction& d, const CommonReply& common) const {
  if (common.replace) return Waiting::nothing;
  if (d.body_mode == BodySendMode::streamed && config_.send_body_without_waiting &&
      !d.queue.empty())
    return Waiting::streamed_body;
  if (d.full_duplex()) {
    if (d.body_received) return Waiting::streamed_body;
    if (d.trailers_open) return Waiting::trailers;
  }
  return Waiting::nothing;
}

Filter::Verdict Filter::take_headers(Direction& d, const CommonReply& common) {
  if (d.waiting != Waiting::headers)
    return spurious("spurious message", std::string(to_string(d.headers_phase)));
  if (auto verdict = mutate_headers(d, common, d.headers_phase)) return *verdict;
  if (common.has_trailers)
    record_.refuse(d.headers_phase, "trailers", "trailers", "CommonResponse.trailers is not read");
  clear_route_cache(common, d.headers_phase);
  d.finish(waiting_after_headers(d, common));
  if (!common.replace) {
    if (common.body) {
      record_.refuse(d.headers_phase, "body_mutation", "body_mutation",
                     "in the answer to headers it counts only with CONTINUE_AND_REPLACE");
    }
    return after_headers(d);
  }
  replace_message(d, common);
  d.headers_open = false;
  resume(d);
  return taken();
}

void Filter::replace_message(Direction& d, const CommonReply& common) {
  if (common.body) {
    pipe(d).headers.remove("content-length");
    d.body_replaced = true;
    auto& buffered = pipe(d).buffered;
    std::string body = buffered.value_or("");
    apply_body(*common.body, body);
    if (buffered) {
      pipe(d).replace_buffered(std::move(body));
    } else {
      pipe(d).buffer(body);
    }
  }
  d.queue.clear();
  d.body_mode = BodySendMode::none;
  d.send_trailers = false;
}

Filter::Verdict Filter::after_headers(Direction& d) {
  auto& buffered = pipe(d).buffered;
  // Moves what came in the meantime into the queue, and to the processor.
  const auto send_buffered = [&](bool end) {
    if (!buffered || buffered->empty()) return;
    const std::string chunk = std::exchange(*buffered, {});
    if (!d.full_duplex()) d.queue.push(chunk, end);
    send_body(d, chunk, end, Waiting::streamed_body);
  };
  if (d.no_body) {
    // Nothing follows but what is below.
  } else if (d.body_complete && d.body_mode != BodySendMode::none) {
    if (d.waiting != Waiting::nothing) {
      send_buffered(!d.trailers_open);
      return taken();
    }
    if (buffered) {
      // The whole body is here: the mode makes no difference any more.
      send_body(d, *buffered, !d.trailers_open, Waiting::buffered_body);
      return taken();
    }
  } else if (d.body_mode == BodySendMode::buffered) {
    return taken();
  } else if (d.body_mode == BodySendMode::streamed) {
    send_buffered(false);
    resume(d);
    return taken();
  } else if (d.full_duplex()) {
    resume(d);
    return taken();
  } else if (d.body_mode == BodySendMode::buffered_partial) {
    if (buffered && !buffered->empty()) d.queue.push(std::exchange(*buffered, {}), false);
    if (d.queue.bytes() > buffer_limit_)
      send_body(d, d.queue.join().data, false, Waiting::partial_body);
    return taken();
  }
  if (d.send_trailers && d.trailers_open) {
    send_trailers(d);
    return taken();
  }
  d.headers_open = false;
  resume(d);
  return taken();
}

bool Filter::is_last_body(Direction& d, const CommonReply& common) const {
  if (d.body_mode == BodySendMode::streamed) return !d.queue.empty() && d.queue.front().end;
  // In one message it is the last where trailers, which nobody asked for, tell so; its own end does
  // not.
  if (d.body_mode == BodySendMode::buffered || d.body_mode == BodySendMode::buffered_partial)
    return d.trailers_open && !d.send_trailers;
  return d.full_duplex() && common.body && common.body->kind == BodyMutation::Kind::streamed &&
         common.body->end_of_stream;
}

Filter::Verdict Filter::take_body(Direction& d, const CommonReply& common) {
  bool proceed = false;
  Verdict verdict;
  if (d.waiting == Waiting::buffered_body) {
    verdict = take_buffered_body(d, common, proceed);
  } else if (d.waiting == Waiting::streamed_body) {
    verdict = take_streamed_body(d, common, proceed);
  } else if (d.waiting == Waiting::partial_body) {
    verdict = take_partial_body(d, common, proceed);
  } else {
    return spurious("spurious message", std::string(to_string(d.body_phase)));
  }
  if (verdict.kind != Verdict::Kind::taken) return verdict;
  if (common.has_trailers)
    record_.refuse(d.body_phase, "trailers", "trailers", "CommonResponse.trailers is not read");
  if (common.replace) {
    record_.refuse(d.body_phase, "status", "status",
                   "CONTINUE_AND_REPLACE counts only in the answer to headers");
  }
  clear_route_cache(common, d.body_phase);
  d.headers_open = false;
  if (d.send_trailers && d.trailers_open && d.queue.empty()) {
    send_trailers(d);
  } else if (proceed || (d.trailers_open && d.queue.empty())) {
    resume(d);
  }
  return taken();
}

Filter::Verdict Filter::take_buffered_body(Direction& d, const CommonReply& common, bool& proceed) {
  if (auto verdict = mutate_headers(d, common, d.body_phase)) return *verdict;
  if (common.body) {
    const auto length =
        d.headers_open ? number(pipe(d).headers.get("content-length")) : std::nullopt;
    const std::size_t size =
        common.body->kind == BodyMutation::Kind::body ? common.body->bytes.size() : 0;
    if (length && *length != size) {
      record_.refuse(d.body_phase, "content_length", "body_mutation",
                     "content-length is " + std::to_string(*length) + " and the new body has " +
                         std::to_string(size) + " bytes: set it in the same answer");
      return failed("mismatch between content length and the length of the mutated body",
                    "body_mutation");
    }
    std::string body = *pipe(d).buffered;
    apply_body(*common.body, body);
    pipe(d).replace_buffered(std::move(body));
  }
  d.finish();
  proceed = true;
  return taken();
}

Filter::Verdict Filter::take_streamed_body(Direction& d, const CommonReply& common, bool& proceed) {
  if (common.body && common.body->kind == BodyMutation::Kind::streamed) {
    if (d.full_duplex()) return take_duplex_body(d, common, proceed);
    return spurious(
        "spurious message: streamed_response is received while body_mode_ is not "
        "FULL_DUPLEX_STREAMED",
        "body_mutation.streamed_response");
  }
  if (d.full_duplex()) {
    return spurious(
        "spurious message: Normal body mutation response is received while body_mode_ is "
        "FULL_DUPLEX_STREAMED",
        "body_mutation");
  }
  if (common.headers) {
    record_.refuse(d.body_phase, "streamed_body", "header_mutation",
                   "in STREAMED the answer to a body cannot change headers");
  }
  if (d.queue.empty()) return spurious("spurious message", std::string(to_string(d.body_phase)));
  auto chunk = d.queue.pop();
  if (common.body) apply_body(*common.body, chunk.data);
  proceed = chunk.end;
  if (!chunk.data.empty()) pipe(d).inject(chunk.data, chunk.end);
  d.finish(d.queue.empty() ? Waiting::nothing : d.waiting);
  return taken();
}

Filter::Verdict Filter::take_duplex_body(Direction& d, const CommonReply& common, bool& proceed) {
  const auto& body = *common.body;
  // Even nothing takes the headers with it.
  pipe(d).inject(body.bytes, body.end_of_stream);
  d.finish(body.end_of_stream ? Waiting::nothing : Waiting::streamed_body);
  proceed = body.end_of_stream;
  return taken();
}

Filter::Verdict Filter::take_partial_body(Direction& d, const CommonReply& common, bool& proceed) {
  auto chunk = d.queue.pop();
  if (auto verdict = mutate_headers(d, common, d.body_phase)) return *verdict;
  if (common.body) apply_body(*common.body, chunk.data);
  if (!chunk.data.empty()) pipe(d).inject(chunk.data, chunk.end);
  d.finish();
  if (d.queue.bytes() > 0) {
    const auto& rest = d.queue.join();
    pipe(d).inject(rest.data, rest.end);
    d.queue.clear();
  }
  d.partial_done = true;
  proceed = true;
  return taken();
}

}  // namespace extproc::testing::envoy
