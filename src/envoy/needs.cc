#include "envoy/needs.h"

#include <utility>

#include "extproc/error.h"
#include "rules/needs.h"

namespace extproc::envoy_config {
namespace {

BodySendMode body_mode(const Needs& needs, Phase phase) {
  if (!needs.handled.contains(phase)) return BodySendMode::none;
  const auto& chosen = is_request_phase(phase) ? needs.request_body_mode : needs.response_body_mode;
  return chosen ? *chosen : open_body_mode(needs, phase);
}

HeaderSendMode header_mode(bool sends) {
  return sends ? HeaderSendMode::send : HeaderSendMode::skip;
}

/// Whether a handler that is not of the request headers may ask for what came with them.
bool reads_request_data(const Needs& needs) {
  PhaseSet only_headers{Phase::request_headers};
  return needs.request_data && !needs.handled.empty() && !(needs.handled == only_headers);
}

/// A handler of messages beside one over the whole body needs the body as it needs it.
PhaseSet whole_in_both(const Needs& a, const Needs& b) {
  PhaseSet whole;
  for (const Phase phase : {Phase::request_body, Phase::response_body}) {
    const bool in_a = !a.handled.contains(phase) || a.whole.contains(phase);
    const bool in_b = !b.handled.contains(phase) || b.whole.contains(phase);
    if (in_a && in_b && (a.whole | b.whole).contains(phase)) whole.insert(phase);
  }
  return whole;
}

/// What they state. Not together where they contradict each other.
void add(Needs& sum, const Needs& more) {
  for (const auto& [mode, other] : {std::pair{&sum.request_body_mode, &more.request_body_mode},
                                    std::pair{&sum.response_body_mode, &more.response_body_mode}}) {
    if (!*mode) *mode = *other;
    if (!*other || **mode == **other) continue;
    throw Error(sum.name + " need a body as " + std::string(to_string(**mode)) + " and as " +
                std::string(to_string(**other)) +
                ", which one filter cannot send: choose one with --request-body-mode or "
                "--response-body-mode, or give each a filter with --separate");
  }
  sum.request_data |= more.request_data;
  sum.stated = rules::together(std::move(sum.stated), more.stated);
}

void require_consistent_body(const Needs& needs, const std::optional<BodySendMode>& mode,
                             Phase phase) {
  if (!mode) return;
  const std::string name(to_string(phase));
  if (*mode == BodySendMode::none && needs.handled.contains(phase) && !needs.overrides_mode()) {
    throw Error(
        needs.name + " handles " + name +
        ", which the mode NONE would keep from it: choose another, or add --allow-mode-override "
        "if it asks for the body itself");
  }
  if (*mode == BodySendMode::full_duplex_streamed && needs.in_process) {
    throw Error(needs.name + " takes " + name +
                " as FULL_DUPLEX_STREAMED, for which Envoy's dynamic modules have no means: choose "
                "STREAMED, in which handlers over whole bodies work as well, or use ext_proc, "
                "without --in-process");
  }
  if (*mode == BodySendMode::full_duplex_streamed && needs.overrides_mode()) {
    throw Error("Envoy ignores mode_override in FULL_DUPLEX_STREAMED: choose another mode for " +
                name + ", or allow no override (--allow-mode-override, needs())");
  }
  if (needs.stated.observability_mode && *mode != BodySendMode::none &&
      *mode != BodySendMode::streamed) {
    throw Error(needs.name +
                " needs observability_mode, in which a body is sent STREAMED or not "
                "at all: choose no other mode for " +
                name);
  }
}

}  // namespace

BodySendMode open_body_mode(const Needs& needs, Phase phase) {
  if (needs.stated.observability_mode) return BodySendMode::streamed;
  if (!needs.whole.contains(phase)) return BodySendMode::buffered;
  return needs.in_process || needs.failure_mode_allow || needs.overrides_mode()
             ? BodySendMode::streamed
             : BodySendMode::full_duplex_streamed;
}

bool sends_body_unasked(const Needs& needs) {
  const auto waits = [&needs](bool stated, Phase body) {
    return stated && body_mode(needs, body) == BodySendMode::streamed;
  };
  return needs.stated.send_body_without_waiting_for_header_response ||
         waits(needs.stated.request_headers_wait_for_body, Phase::request_body) ||
         waits(needs.stated.response_headers_wait_for_body, Phase::response_body);
}

Needs together(const std::vector<Needs>& processors) {
  Needs sum = processors.front();
  for (std::size_t i = 1; i < processors.size(); ++i) {
    sum.name += "," + processors[i].name;
    sum.whole = whole_in_both(sum, processors[i]);
    sum.handled = sum.handled | processors[i].handled;
    add(sum, processors[i]);
  }
  return sum;
}

ProcessingMode needed_mode(const Needs& needs) {
  const PhaseSet& handled = needs.handled;
  ProcessingMode mode;
  mode.request_body = body_mode(needs, Phase::request_body);
  mode.response_body = body_mode(needs, Phase::response_body);
  const bool request_duplex = mode.request_body == BodySendMode::full_duplex_streamed;
  const bool response_duplex = mode.response_body == BodySendMode::full_duplex_streamed;
  mode.request_headers = header_mode(handled.contains(Phase::request_headers) ||
                                     reads_request_data(needs) || request_duplex);
  mode.response_headers = header_mode(handled.contains(Phase::response_headers) ||
                                      !needs.chain_header.empty() || response_duplex);
  mode.request_trailers = header_mode(handled.contains(Phase::request_trailers) ||
                                      needs.stated.request_trailers || request_duplex);
  mode.response_trailers = header_mode(handled.contains(Phase::response_trailers) ||
                                       needs.stated.response_trailers || response_duplex);
  return mode;
}

void require_consistent(const Needs& needs) {
  require_consistent_body(needs, needs.request_body_mode, Phase::request_body);
  require_consistent_body(needs, needs.response_body_mode, Phase::response_body);
  if (needs.overrides_mode() && sends_body_unasked(needs)) {
    throw Error(needs.name +
                " may answer with mode_override (--allow-mode-override, needs()), which Envoy "
                "ignores with send_body_without_waiting_for_header_response, and needs that too, "
                "stated or since its headers wait for a STREAMED body: leave out one of the two");
  }
}

}  // namespace extproc::envoy_config
