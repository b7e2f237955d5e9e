// StreamedImmediateResponse: the processor answers the caller itself, in pieces. Envoy's page says
// little of it; what is here is what Envoy was seen to do.
#include <utility>

#include "envoy/kit/filter.h"
#include "envoy/kit/mutation_rules.h"
#include "rules/reply_rules.h"

namespace extproc::testing::envoy {
namespace {

constexpr const char* kField = "streamed_immediate_response";

}  // namespace

Filter::Verdict Filter::take_streamed_immediate(const StreamedImmediateReply& streamed) {
  using Part = StreamedImmediateReply::Part;
  switch (streamed.part) {
    case Part::none:
      return failed("unset streamed_immediate_response", kField);
    case Part::headers:
      return start_local_response(streamed);
    case Part::body:
      if (!local_response_) return spurious("local response body received before headers", kField);
      host_.local_data(streamed.body, streamed.end_of_stream);
      return taken();
    case Part::trailers: {
      if (!local_response_)
        return spurious("local response trailers received before headers", kField);
      HeaderMap trailers(HeaderKind::response_trailers, {});
      if (auto verdict = read_local_headers(streamed.headers, trailers)) return *verdict;
      host_.local_trailers(std::move(trailers));
      return taken();
    }
  }
  return taken();
}

Filter::Verdict Filter::start_local_response(const StreamedImmediateReply& streamed) {
  // Whatever the processor answers itself is not sent to it: that holds even where this is refused.
  response_.set_mode({.response_headers = HeaderSendMode::skip});
  if (request_.waiting != Waiting::headers || local_response_)
    return spurious("spurious message", kField);
  if (!streamed.end_of_stream && !rules::takes_streamed_reply(request_.body_mode)) {
    return spurious(
        "streaming local response body is only supported in NONE or FULL_DUPLEX_STREAMED modes",
        kField);
  }
  HeaderMap headers(HeaderKind::response, {});
  if (auto verdict = read_local_headers(streamed.headers, headers)) return *verdict;
  local_response_ = true;
  request_.finish();
  // In FULL_DUPLEX_STREAMED the request goes on meanwhile, to the processor and to the upstream.
  const bool is_response = headers.get(":status") != nullptr;
  const bool goes_on =
      request_.full_duplex() && !request_.body_complete && !streamed.end_of_stream && is_response;
  // After an error Envoy takes up what it has, and counts a message that no stream gets.
  const bool has_body = request_.body_mode != BodySendMode::none && request_.body_complete &&
                        !request_.no_body && pipe(request_).buffered;
  const bool has_trailers = request_.send_trailers && request_.trailers_open;
  if (!is_response && !request_.full_duplex() && (has_body || has_trailers))
    record_.count("stream_msgs_sent");
  host_.local_headers(std::move(headers), streamed.end_of_stream);
  if (goes_on) resume(request_);
  // Trailers that are here already are asked about all the same.
  if (is_response && has_trailers && !request_.full_duplex()) send_trailers(request_);
  return taken();
}

std::optional<Filter::Verdict> Filter::read_local_headers(const HeaderList& list,
                                                          HeaderMap& headers) {
  for (const auto& [key, value] : list) {
    const std::string name = lower_case(key);
    // A response must have a :status, so that the rules do not deny it.
    const MutationRules& allowed = name == ":status" ? MutationRules{} : *config_.mutation_rules;
    const char* why = denial(allowed, MutationRules::Operation::set, name, value);
    const bool invalid = !is_header_name(key) || !rules::is_header_value(value);
    if (!invalid && why == nullptr) {
      // Of several of one name the last counts.
      headers.set(name, value);
      continue;
    }
    record_.count("rejected_header_mutations");
    if (invalid || name == ":status") {
      record_.refuse(std::nullopt, "header_mutation_set_contains_invalid_character", kField,
                     name + " cannot have this value");
      return failed("header_mutation_set_contains_invalid_character", kField);
    }
    record_.refuse(std::nullopt, "mutation_rules", kField, name + " is left out: " + why);
    if (allowed.disallow_is_error) return failed("header_mutation_set_headers_failed", kField);
  }
  return std::nullopt;
}

}  // namespace extproc::testing::envoy
