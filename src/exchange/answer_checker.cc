#include "exchange/answer_checker.h"

#include <utility>

#include "base/access.h"
#include "rules/mode_rules.h"

namespace extproc::exchange {
// Envoy takes a body mode that is left out for NONE.
void AnswerChecker::complete_mode_override(Phase phase, ResponseExtras& extras) {
  ModeOverride& mode = *extras.mode_override;
  const auto& config = directions_.config();
  if (!rules::mode_override_counts(config, mode)) {
    reporter_.violation(request_, phase, Rule::mode_override, "mode_override");
    extras.mode_override.reset();
    return;
  }
  directions_.apply(mode);
  // What a chain asks for is made of what each of its processors asked for itself.
  if (env().link != nullptr) return;
  if (config && !mode.request_body_mode) mode.request_body_mode = config->request_body_mode;
  if (config && !mode.response_body_mode) mode.response_body_mode = config->response_body_mode;
}

void AnswerChecker::add_automatic_override(HeadersResponse& response) {
  const auto& config = directions_.config();
  if (!config || rules::ignores_mode_overrides(*config)) return;
  const PhaseSet handled = env().dispatcher.phases();
  const auto body = [&](Phase phase, BodySendMode configured) {
    return handled.contains(phase) ? configured : BodySendMode::none;
  };
  const auto skip = [&](Phase phase) {
    return handled.contains(phase) ? std::nullopt : std::optional(HeaderSendMode::skip);
  };
  ModeOverride mode;
  mode.request_body_mode = body(Phase::request_body, config->request_body_mode);
  mode.response_body_mode = body(Phase::response_body, config->response_body_mode);
  if (env().settings.chain_header.empty())
    mode.response_header_mode = skip(Phase::response_headers);
  mode.request_trailer_mode = skip(Phase::request_trailers);
  mode.response_trailer_mode = skip(Phase::response_trailers);
  // A body that is handled needs its headers to be changed with it, so that they are kept.
  if (handled.contains(Phase::response_body)) mode.response_header_mode.reset();
  if (mode.request_body_mode == config->request_body_mode &&
      mode.response_body_mode == config->response_body_mode && !mode.response_header_mode) {
    return;
  }
  response.override_mode(mode);
}

bool AnswerChecker::keeps_route_cache_flag(Phase phase, bool clears, bool changes_headers) {
  if (!clears || rules::clears_route_cache(phase, changes_headers)) return true;
  reporter_.violation(request_, phase, Rule::clear_route_cache, "clear_route_cache");
  return false;
}

void AnswerChecker::check(Phase phase, HeaderMutation& mutation, bool replaces_message) {
  // The answers of a chain's processors were looked at one by one.
  if (!env().links.empty()) return;
  AnswerViolations violations(reporter_, request_, phase);
  rules::check_mutation(mutation, replaces_message, env().settings.filter, violations);
  if (env().settings.enforces_rules)
    rules::leave_out_refused(mutation, replaces_message, env().settings.filter);
}

void AnswerChecker::headers(Phase phase, const HttpHeaders& message, HeadersResponse& response) {
  const bool replaces = response.replacement().has_value();
  check(phase, response.header_mutation(), replaces);
  if (!keeps_route_cache_flag(phase, response.is_route_cache_cleared(),
                              !response.header_mutation().empty())) {
    response.clear_route_cache(false);
  }
  if (env().settings.automatic_mode_override && env().link == nullptr &&
      phase == Phase::request_headers && !replaces &&
      (response.extras_or_null() == nullptr || !response.extras_or_null()->mode_override)) {
    add_automatic_override(response);
  }
  if (const ResponseExtras* extras = response.extras_or_null();
      extras != nullptr && extras->mode_override) {
    complete_mode_override(phase, detail::Access::extras(response));
  }
  if (response.header_mutation().sets("content-length")) directions_.of(phase).content_length_set();
  if (const ResponseExtras* extras = response.extras_or_null();
      extras != nullptr && extras->mode_override &&
      directions_.of(phase).needs_no_content_length(
          is_request_phase(phase) ? extras->mode_override->request_body_mode
                                  : extras->mode_override->response_body_mode)) {
    response.remove_header("content-length");
  }
  sink_.headers(phase, message, response);
}

void AnswerChecker::body(Phase phase, const HttpBody& chunk, BodyResponse& response) {
  if (directions_.of(phase).full_duplex()) {
    const bool keep = response.body_change() == BodyChange::none;
    HttpBody::Flags flags = chunk.flags();
    if (!keep) flags.grpc_message_compressed = response.is_grpc_message_compressed();
    const std::string_view bytes = keep ? chunk.bytes() : response.body();
    if (!bytes.empty()) flags.end_of_stream_without_message = false;
    streamed_body(phase, {bytes, chunk.end_of_stream(), flags}, response);
    return;
  }
  HeaderMutation& mutation = response.header_mutation();
  if (!mutation.empty() && !rules::takes_headers_with_body(directions_.of(phase).mode())) {
    reporter_.violation(request_, phase, Rule::body_header_mutation, mutation.at(0).name);
    mutation.clear();
  }
  check(phase, mutation);
  if (!keeps_route_cache_flag(phase, response.is_route_cache_cleared(), !mutation.empty())) {
    response.clear_route_cache(false);
  }
  directions_.of(phase).correct_content_length(chunk, response);
  sink_.body(phase, chunk, response);
}

void AnswerChecker::streamed_body(Phase phase, const HttpBody& body, BodyResponse& carries) {
  if (!carries.header_mutation().empty()) {
    reporter_.violation(request_, phase, Rule::body_header_mutation,
                        carries.header_mutation().at(0).name);
    carries.header_mutation().clear();
  }
  if (carries.is_route_cache_cleared()) {
    reporter_.violation(request_, phase, Rule::clear_route_cache, "clear_route_cache");
    carries.clear_route_cache(false);
  }
  sink_.piece(phase, body, carries.extras_or_null());
  detail::Access::drop_extras(carries);
}

void AnswerChecker::trailers(Phase phase, const HttpTrailers& message, TrailersResponse& response) {
  check(phase, response.header_mutation());
  sink_.trailers(phase, message, response);
}

bool AnswerChecker::takes_streamed_reply() const {
  const auto mode = directions_.of(Phase::request_headers).mode();
  return mode && rules::takes_streamed_reply(*mode);
}

void AnswerChecker::immediate(Phase phase, ImmediateResponse response,
                              const ResponseExtras* extras) {
  AnswerViolations violations(reporter_, request_, phase);
  rules::check_immediate(response, env().settings.filter, violations);
  if (env().settings.enforces_rules) rules::leave_out_refused(response, env().settings.filter);
  sink_.reply(phase, response, extras);
}

}  // namespace extproc::exchange
