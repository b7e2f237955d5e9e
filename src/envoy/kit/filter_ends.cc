// How the filter's part of an exchange ends.
#include <algorithm>

#include "envoy/kit/filter.h"
#include "envoy/kit/header_mutation.h"

namespace extproc::testing::envoy {

bool Filter::fails_open() const {
  // What FULL_DUPLEX_STREAMED has sent to the processor is gone; so is the upstream's response once
  // the processor has begun one.
  const bool lost = (request_.full_duplex() && request_.body_received) ||
                    (response_.full_duplex() && response_.body_received);
  return config_.failure_mode_allow && !lost && !local_response_;
}

void Filter::finish_both() {
  request_.finish();
  response_.finish();
}

void Filter::resume(Direction& d) {
  if (!d.paused) return;
  d.paused = false;
  pipe(d).resume();
}

void Filter::give_up() {
  for (Direction* d : {&request_, &response_}) {
    d->finish();
    if (d->queue.bytes() > 0) {
      const ChunkQueue::Chunk left = d->queue.join();
      d->queue.clear();
      pipe(*d).inject(left.data, left.end);
    }
    // What the processor has begun to answer itself does not go to the upstream any more.
    if (!local_response_) resume(*d);
  }
}

void Filter::fail(int status, const std::string& details) {
  complete_ = true;
  finish_both();
  close_stream();
  record_.count("immediate_responses_sent");
  host_.reply({.status = status, .body = {}, .details = details});
}

void Filter::on_stream_end(int status, const std::string& message) {
  stream_open_ = false;
  record_.count("server_half_closed");
  if (status != 0) {
    record_.count("streams_failed");
    if (complete_) return;
    record_.refuse(std::nullopt, "grpc_error", "grpc-status",
                   "the stream ended with gRPC status " + std::to_string(status) + " " + message);
    if (!fails_open()) {
      fail(config_.status_on_error,
           "ext_proc_error_gRPC_error_" + std::to_string(status) + "{" + message + "}");
      return;
    }
    record_.count("failure_mode_allowed");
    // Envoy goes on as if the end had been a good one, and counts that as well.
    record_.count("server_half_closed");
  }
  if (complete_) return;
  complete_ = true;
  record_.count("streams_closed");
  give_up();
}

std::optional<Time> Filter::next_timer() const {
  if (!request_.timer) return response_.timer;
  if (!response_.timer) return request_.timer;
  return std::min(*request_.timer, *response_.timer);
}

void Filter::on_time() {
  const bool in_request = request_.timer && *request_.timer <= host_.now();
  if (!in_request && !(response_.timer && *response_.timer <= host_.now())) return;
  record_.count("message_timeouts");
  record_.refuse(std::nullopt, "message_timeout", "message_timeout",
                 std::string("no answer came in time to a message of the ") +
                     (in_request ? "request" : "response"));
  if (!fails_open()) {
    fail(504, "ext_proc_error_per-message_timeout_exceeded");
    return;
  }
  complete_ = true;
  close_stream();
  record_.count("failure_mode_allowed");
  give_up();
}

void Filter::destroy() {
  complete_ = true;
  request_.timer.reset();
  response_.timer.reset();
  if (config_.observability_mode) {
    // Closed after deferred_close_timeout, so that what was sent arrives: it is not counted here.
    if (stream_open_) stream_.close_stream();
    stream_open_ = false;
    return;
  }
  close_stream();
}

void Filter::mutate_reply(const ImmediateReply& immediate, HeaderMap& headers) {
  if (!immediate.headers) return;
  const auto error =
      apply_mutation(*immediate.headers, headers,
                     {.rules = *config_.mutation_rules, .record = record_, .phase = std::nullopt});
  if (error) {
    record_.refuse(
        std::nullopt, *error, "immediate_response.headers",
        "the immediate response is sent with the headers that were set before the error");
  }
}

}  // namespace extproc::testing::envoy
