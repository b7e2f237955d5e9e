// How the filter takes a reply: what is common to all, headers and trailers.
#include <algorithm>
#include <protozero/exception.hpp>
#include <utility>

#include "envoy/kit/filter.h"
#include "envoy/kit/header_mutation.h"
#include "envoy/kit/reply_texts.h"

namespace extproc::testing::envoy {
namespace {

constexpr int kInternal = 13;  // a status of gRPC

std::optional<Phase> phase_of(const Reply& reply) {
  return reply.kind == Reply::Kind::phase ? std::optional(reply.phase) : std::nullopt;
}

// Left out, header modes mean "as it was"; a body mode that is left out is NONE.
ProcessingMode effective_mode(const ProcessingMode& asked, ProcessingMode mode) {
  const auto take = [](std::optional<HeaderSendMode> from, std::optional<HeaderSendMode>& to) {
    if (from) to = from;
  };
  take(asked.request_headers, mode.request_headers);
  take(asked.response_headers, mode.response_headers);
  take(asked.request_trailers, mode.request_trailers);
  take(asked.response_trailers, mode.response_trailers);
  mode.request_body = asked.request_body;
  mode.response_body = asked.response_body;
  return mode;
}

bool same_but_request_headers(const ProcessingMode& a, ProcessingMode b) {
  b.request_headers = a.request_headers;
  return a == b;
}

}  // namespace

Filter::Verdict Filter::spurious(std::string text, std::string field) {
  return {Verdict::Kind::spurious, std::move(text), std::move(field)};
}

Filter::Verdict Filter::failed(std::string text, std::string field) {
  return {Verdict::Kind::failed, std::move(text), std::move(field)};
}

std::optional<Reply> Filter::decode(std::string_view bytes) {
  std::optional<Reply> reply;
  try {
    reply = read_reply(bytes);
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
  if (!texts_are_utf8(*reply)) return std::nullopt;
  return reply;
}

void Filter::on_reply(std::string_view bytes) {
  const auto decoded = decode(bytes);
  if (!decoded) {
    // What gRPC makes of a message that it cannot read.
    stream_.close_stream();
    return on_stream_end(kInternal, {});
  }
  if (config_.observability_mode) {
    record_.refuse(std::nullopt, "observability_mode", "response",
                   "in observability mode every answer is ignored");
    return;
  }
  if (complete_) return;
  const Reply& reply = *decoded;
  if (reply.override_message_timeout) {
    take_timeout(*reply.override_message_timeout);
    return;
  }
  if (reply.mode_override) override_mode(*reply.mode_override);

  const bool is_body = reply.kind == Reply::Kind::phase &&
                       (reply.phase == Phase::request_body || reply.phase == Phase::response_body);
  const bool last_body =
      is_body &&
      is_last_body(reply.phase == Phase::request_body ? request_ : response_, reply.common);
  const Verdict verdict = take(reply);
  switch (verdict.kind) {
    case Verdict::Kind::taken:
      record_.count("stream_msgs_received");
      break;
    case Verdict::Kind::spurious:
      record_.count("spurious_msgs_received");
      record_.refuse(phase_of(reply), "spurious message", verdict.field, verdict.text);
      if (fails_open()) {
        record_.count("failure_mode_allowed");
        close_stream();
        complete_ = true;
        give_up();
      } else {
        fail(config_.status_on_error, verdict.text);
      }
      break;
    case Verdict::Kind::failed:
      record_.count("stream_msgs_received");
      fail(config_.status_on_error, verdict.text);
      break;
  }
  close_after_last(reply, last_body);
}

void Filter::take_timeout(Time timeout) {
  const auto refuse = [&](const char* text) {
    record_.count("override_message_timeout_ignored");
    record_.refuse(std::nullopt, "override_message_timeout", "override_message_timeout", text);
  };
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  if (whole < std::chrono::milliseconds(1) || whole > *config_.max_message_timeout)
    return refuse("it must be from 1 ms to the filter's max_message_timeout, whose default is 0");
  bool restarted = false;
  for (Direction* d : {&request_, &response_}) {
    if (!d->timer || d->extended) continue;
    d->timer = host_.now() + whole;
    d->extended = restarted = true;
  }
  if (!restarted) return refuse("no time-out runs, or it was extended before");
  record_.count("override_message_timeout_received");
}

void Filter::override_mode(const ProcessingMode& asked) {
  const auto refuse = [&](const char* text) {
    record_.refuse(std::nullopt, "mode_override", "mode_override", text);
  };
  if (!config_.allow_mode_override) return refuse("the filter has no allow_mode_override");
  if (config_.send_body_without_waiting)
    return refuse("the filter has send_body_without_waiting_for_header_response");
  if (config_.processing_mode->has_full_duplex())
    return refuse("the filter has a body mode FULL_DUPLEX_STREAMED");
  if (request_.waiting != Waiting::headers && response_.waiting != Waiting::headers)
    return refuse("it counts only in the answer to headers");
  const ProcessingMode mode = effective_mode(asked, *config_.processing_mode);
  const auto& allowed = config_.allowed_override_modes;
  if (!allowed.empty() && std::none_of(allowed.begin(), allowed.end(), [&](const auto& other) {
        return same_but_request_headers(mode, other);
      }))
    return refuse("the mode is not one of allowed_override_modes");
  request_.set_mode(mode);
  response_.set_mode(mode);
  record_.take_mode(as_override(asked));
}

Filter::Verdict Filter::take(const Reply& reply) {
  if (reply.kind == Reply::Kind::none) return spurious("unhandled message", "response");
  if (reply.kind == Reply::Kind::immediate && config_.disable_immediate_response)
    return spurious("unhandled immediate response due to config disabled it", "immediate_response");
  take_metadata(reply);
  if (reply.kind == Reply::Kind::immediate) return take_immediate(reply.immediate);
  if (reply.kind == Reply::Kind::streamed_immediate) return take_streamed_immediate(reply.streamed);
  if (local_response_) return spurious("spurious message", std::string(to_string(reply.phase)));
  switch (reply.phase) {
    case Phase::request_headers:
      return take_headers(request_, reply.common);
    case Phase::response_headers:
      return take_headers(response_, reply.common);
    case Phase::request_body:
      return take_body(request_, reply.common);
    case Phase::response_body:
      return take_body(response_, reply.common);
    case Phase::request_trailers:
      return take_trailers(request_, reply.common);
    case Phase::response_trailers:
      return take_trailers(response_, reply.common);
  }
  return taken();
}

void Filter::take_metadata(const Reply& reply) {
  if (!reply.dynamic_metadata) return;
  for (const auto& [name, value] : *reply.dynamic_metadata) {
    const auto& allowed = *config_.metadata.receiving;
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      record_.refuse(phase_of(reply), "dynamic_metadata", "dynamic_metadata",
                     name + " is not in metadata_options.receiving_namespaces.untyped");
      continue;
    }
    // One message after another is the merge of both.
    metadata_[name].append(value);
    record_.take_metadata(name, StructView(value));
  }
}

void Filter::clear_route_cache(const CommonReply& common, Phase phase) {
  const auto refuse = [&](const char* text) {
    record_.refuse(phase, "clear_route_cache", "clear_route_cache", text);
  };
  if (phase != Phase::request_headers && phase != Phase::request_body) {
    if (common.clear_route_cache) refuse("it counts in the request's direction only");
    return;
  }
  if (!common.headers) {
    if (!common.clear_route_cache) return;
    record_.count("clear_route_cache_ignored");
    return refuse("it counts only together with a header_mutation");
  }
  if (config_.route_cache_action == RouteCacheAction::retain) {
    if (!common.clear_route_cache) return;
    record_.count("clear_route_cache_disabled");
    return refuse("the filter's configuration keeps the route");
  }
  if (common.clear_route_cache || config_.route_cache_action == RouteCacheAction::clear)
    host_.clear_route_cache();
}

std::optional<Filter::Verdict> Filter::mutate_headers(Direction& d, const CommonReply& common,
                                                      Phase phase) {
  if (!common.headers) return std::nullopt;
  if (!d.headers_open) {
    record_.refuse(phase, "headers_gone", "header_mutation",
                   "the headers have gone on already, or were never held");
    return std::nullopt;
  }
  const auto error = apply_mutation(*common.headers, pipe(d).headers,
                                    {.rules = *config_.mutation_rules,
                                     .record = record_,
                                     .phase = phase,
                                     .replacing = common.replace,
                                     .keep_content_length_out = removes_content_length(d)});
  if (error) return failed(*error, "header_mutation");
  return std::nullopt;
}

Filter::Verdict Filter::take_trailers(Direction& d, const CommonReply& common) {
  if (d.waiting != Waiting::trailers && !d.full_duplex())
    return spurious("spurious message", std::string(to_string(d.trailers_phase)));
  // In FULL_DUPLEX_STREAMED it is taken even when there are none, and then does nothing.
  if (common.headers && d.trailers_open) {
    const auto error = apply_mutation(
        *common.headers, *pipe(d).trailers,
        {.rules = *config_.mutation_rules, .record = record_, .phase = d.trailers_phase});
    if (error) return failed(*error, "header_mutation");
  }
  if (common.headers && !d.trailers_open) {
    record_.refuse(d.trailers_phase, "no_trailers", "header_mutation",
                   "there are no trailers yet that could be changed");
  }
  d.trailers_open = false;
  d.finish();
  resume(d);
  return taken();
}

Filter::Verdict Filter::take_immediate(const ImmediateReply& immediate) {
  complete_ = true;
  finish_both();
  close_stream();
  int status = immediate.status;
  if (status < 200) {
    if (status != 0) {
      record_.refuse(std::nullopt, "status", "immediate_response.status",
                     "a status below 200 becomes 200");
    }
    status = 200;
  }
  record_.count("immediate_responses_sent");
  host_.reply({.status = status,
               .body = immediate.body,
               .details = immediate.details,
               .grpc_status = immediate.grpc_status,
               .mutate = [&](HeaderMap& headers) { mutate_reply(immediate, headers); }});
  return taken();
}

void Filter::close_after_last(const Reply& reply, bool last_body) {
  if (!stream_open_ || reply.kind != Reply::Kind::phase) return;
  const bool of_request = reply.phase == Phase::request_headers ||
                          reply.phase == Phase::request_body ||
                          reply.phase == Phase::request_trailers;
  Direction& d = of_request ? request_ : response_;
  const Direction& other = of_request ? response_ : request_;
  if (reply.phase == d.headers_phase) {
    // Where the whole message is here, it is known that no trailers are to come.
    const bool no_trailers = !d.send_trailers || (d.body_complete && !d.trailers_open);
    d.answered = d.no_body || (d.body_mode == BodySendMode::none && no_trailers);
  } else {
    // Trailers may be answered before they are there.
    d.answered = d.answered || last_body || reply.phase == d.trailers_phase;
  }
  if (!d.answered || !(other.answered || other.handles_nothing())) return;
  complete_ = true;
  close_stream();
}

}  // namespace extproc::testing::envoy
