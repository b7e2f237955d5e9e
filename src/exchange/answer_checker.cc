#include "exchange/answer_checker.h"

#include <algorithm>
#include <utility>

#include "base/access.h"
#include "rules/mode_rules.h"

namespace extproc::exchange {
// Envoy takes a body mode that is left out for NONE.
void AnswerChecker::complete_mode_override(Phase phase, ResponseExtras& extras) {
  ModeOverride& mode = *extras.mode_override;
  // A body whose trailers are not sent would have no end that its processor sees.
  const auto send_trailers = [](const auto& body, std::optional<HeaderSendMode>& trailers) {
    if (body && is_full_duplex(*body)) trailers = HeaderSendMode::send;
  };
  send_trailers(mode.request_body_mode, mode.request_trailer_mode);
  send_trailers(mode.response_body_mode, mode.response_trailer_mode);
  ModeOverride whole = mode;
  if (const auto& config = directions_.config()) {
    if (!whole.request_body_mode) whole.request_body_mode = config->request_body_mode;
    if (!whole.response_body_mode) whole.response_body_mode = config->response_body_mode;
  }
  const auto verdict =
      rules::override_verdict(directions_.configured(), whole, env().settings.filter);
  if (verdict != rules::OverrideVerdict::counts) {
    violation(phase,
              verdict == rules::OverrideVerdict::ignored ? Rule::mode_override
                                                         : Rule::full_duplex_override,
              "mode_override");
    extras.mode_override.reset();
    return;
  }
  directions_.apply(mode);
  // What a chain asks for is made of what each of its processors asked for itself.
  if (env().link == nullptr) mode = whole;
}

void AnswerChecker::add_automatic_override(HeadersResponse& response) {
  const auto& config = directions_.configured();
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
  if (env().settings.chain_header.empty() && !directions_.of(Phase::response_headers).head_turned())
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

void AnswerChecker::check_extras(Phase phase, ResponseExtras& extras) {
  if (extras.mode_override) complete_mode_override(phase, extras);
}

bool AnswerChecker::keeps_route_cache_flag(Phase phase, bool clears, bool changes_headers) {
  if (!clears || rules::clears_route_cache(phase, changes_headers)) return true;
  violation(phase, Rule::clear_route_cache, "clear_route_cache");
  return false;
}

void AnswerChecker::check(Phase phase, HeaderMutation& mutation, bool replaces_message) {
  // The answers of a chain's processors were looked at one by one.
  if (!env().links.empty()) return;
  AnswerViolations violations(reporter_, request_, phase);
  const bool all_made = rules::check_mutation(mutation, replaces_message, env().settings.filter,
                                              violations, env().settings.inside_envoy);
  if (!all_made && env().settings.enforces_rules)
    rules::leave_out_refused(mutation, replaces_message, env().settings.filter);
}

// It is there for people: a response that would pass without it must not fail.
void AnswerChecker::fit_chain_header(const HttpHeaders& message, HeadersResponse& response) {
  if (rules::fits({message.begin(), message.end()}, response.header_mutation())) return;
  rules::leave_out(response.header_mutation(), env().settings.chain_header);
}

void AnswerChecker::headers(Phase phase, const HttpHeaders& message, HeadersResponse& response) {
  if (phase == Phase::response_headers && !env().settings.chain_header.empty())
    fit_chain_header(message, response);
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
  note_extras(phase, response.extras_or_null());
  if (response.extras_or_null() != nullptr) check_extras(phase, detail::Access::extras(response));
  const unsigned changes = rules::framing_changes(response.header_mutation());
  const bool body_may_change =
      !message.end_of_stream() && (env().dispatcher.phases().contains(rules::body_of(phase)) ||
                                   response.extras_or_null() != nullptr);
  if (changes != 0 || body_may_change || response.replacement() ||
      directions_.of(Phase::response_headers).head_turned()) {
    check_framing(phase, message, response, changes);
    // What it counted with may have been left out.
    if (!keeps_route_cache_flag(phase, response.is_route_cache_cleared(),
                                !response.header_mutation().empty()))
      response.clear_route_cache(false);
  }
  reporter_.sent(phase, response.replacement() ? response.replacement()->size() : 0);
  sink_.headers(phase, message, response);
}

bool AnswerChecker::body(Phase phase, const HttpBody& chunk, BodyResponse& response) {
  note_extras(phase, response.extras_or_null());
  const bool guarded = guards_length(phase);
  if (guarded) directions_.of(phase).body_came(chunk.bytes().size());
  if (directions_.of(phase).full_duplex()) {
    const bool keep = response.body_change() == BodyChange::none;
    HttpBody::Flags flags = chunk.flags();
    if (!keep) flags.grpc_message_compressed = response.is_grpc_message_compressed();
    const std::string_view bytes = keep ? chunk.bytes() : response.body();
    if (!bytes.empty()) flags.end_of_stream_without_message = false;
    return streamed_body(phase, {bytes, chunk.end_of_stream(), flags}, response);
  }
  HeaderMutation& mutation = response.header_mutation();
  if (!mutation.empty() && !rules::takes_headers_with_body(directions_.of(phase).mode())) {
    violation(phase, Rule::body_header_mutation, mutation.at(0).name);
    mutation.clear();
  }
  check(phase, mutation);
  check_framing(phase, chunk, response);
  if (!keeps_route_cache_flag(phase, response.is_route_cache_cleared(), !mutation.empty())) {
    response.clear_route_cache(false);
  }
  directions_.of(phase).correct_content_length(chunk, response);
  if (guarded) {
    const bool kept = response.body_change() == BodyChange::none;
    const std::size_t bytes = kept ? chunk.bytes().size() : response.body().size();
    const auto mode = directions_.of(phase).comes_in();
    // In the other modes of this kind nothing follows that the processor sees.
    const bool ends = chunk.end_of_stream() || mode != BodySendMode::streamed;
    if (!keeps_length(phase, bytes, ends)) return false;
  }
  reporter_.sent(phase, response.body_change() == BodyChange::replace ? response.body().size() : 0);
  sink_.body(phase, chunk, response);
  return true;
}

bool AnswerChecker::streamed_body(Phase phase, const HttpBody& body, BodyResponse& carries) {
  // The answer to headers that waited has taken the place of all of it.
  if (directions_.of(phase).replaced()) {
    detail::Access::drop_extras(carries);
    return true;
  }
  note_extras(phase, carries.extras_or_null());
  if (!carries.header_mutation().empty()) {
    violation(phase, Rule::body_header_mutation, carries.header_mutation().at(0).name);
    carries.header_mutation().clear();
  }
  if (carries.is_route_cache_cleared()) {
    violation(phase, Rule::clear_route_cache, "clear_route_cache");
    carries.clear_route_cache(false);
  }
  HttpBody left = body;
  if (!body.bytes().empty() && !has_content(phase)) {
    violation(phase, Rule::body_not_allowed, "body");
    left = {{}, body.end_of_stream(), body.flags()};
  }
  const bool ends = left.end_of_stream() || left.end_of_stream_without_message();
  if (guards_length(phase) && !keeps_length(phase, left.bytes().size(), ends)) return false;
  reporter_.sent(phase, left.bytes().size());
  sink_.piece(phase, left, carries.extras_or_null());
  detail::Access::drop_extras(carries);
  return true;
}

bool AnswerChecker::trailers(Phase phase, const HttpTrailers& message, TrailersResponse& response) {
  note_extras(phase, response.extras_or_null());
  check(phase, response.header_mutation());
  if (guards_length(phase) && !keeps_length(phase, 0, true)) return false;
  reporter_.sent(phase, 0);
  sink_.trailers(phase, message, response);
  return true;
}

// A chain's answers carry what its processors set, each of which is looked at itself.
void AnswerChecker::tell_metadata(Phase phase, const ResponseExtras& extras) const {
  const Environment& environment = env();
  if (!environment.links.empty()) return;
  for (const auto& [name, value] : extras.dynamic_metadata) {
    if (std::ranges::find(environment.needs.metadata_set, name) !=
        environment.needs.metadata_set.end())
      continue;
    reporter_.metadata_not_stated(request_, phase, name);
  }
}

void AnswerChecker::tell_missing(Phase phase) const {
  constexpr std::string_view kNames[] = {"metadata", "deadline", "peer_certificate"};
  const host::CallInfo* const call = detail::Access::call(context_);
  if (call == nullptr) return;
  if (const auto part = call->take_missing())
    violation(phase, Rule::call_missing, kNames[static_cast<std::size_t>(*part)]);
}

bool AnswerChecker::takes_streamed_reply() const {
  const auto mode = directions_.of(Phase::request_headers).mode();
  return mode && rules::takes_streamed_reply(*mode);
}

void AnswerChecker::immediate(Phase phase, ImmediateResponse response,
                              const ResponseExtras* extras) {
  note_extras(phase, extras);
  AnswerViolations violations(reporter_, request_, phase);
  rules::check_immediate(response, env().settings.filter, violations);
  if (env().settings.enforces_rules) rules::leave_out_refused(response, env().settings.filter);
  reporter_.sent(phase, response.body.size());
  sink_.reply(phase, response, extras);
}

}  // namespace extproc::exchange
