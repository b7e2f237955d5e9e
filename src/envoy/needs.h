#pragma once

#include <optional>
#include <string>
#include <vector>

#include "envoy/modes.h"
#include "extproc/filter_settings.h"
#include "extproc/needs.h"
#include "extproc/phase.h"

namespace extproc::envoy_config {

/// What a processor, or a chain of them, needs of its filter.
struct Needs {
  /// For people: "TrivialExtProcService", or the names of a chain.
  std::string name{};
  PhaseSet handled{};
  /// The bodies in `handled` whose handlers all run over the whole of it, in whatever pieces it
  /// comes.
  PhaseSet whole{};
  /// The header that processors add their names to, in response_headers; empty: none.
  std::string chain_header{};
  /// How the handlers expect a body. Unset: open_body_mode() is written, and a check only warns of
  /// another.
  std::optional<BodySendMode> request_body_mode{};
  std::optional<BodySendMode> response_body_mode{};
  /// Handlers of later phases ask for the request's method, path or id, which come with its
  /// headers.
  bool request_data = true;
  /// The processor runs inside Envoy, where nothing can be FULL_DUPLEX_STREAMED.
  bool in_process = false;
  /// Requests are to go on without a processor that fails.
  bool failure_mode_allow = false;
  /// The rest of what the processors state.
  extproc::Needs stated{};
  /// What the filter is set to, and its server is told of it.
  FilterSettings filter{};

  /// The processor may answer with mode_override: it states so, or it is allowed to.
  bool overrides_mode() const { return stated.mode_override || filter.allow_mode_override; }
};

/// The mode of a handled body where none is chosen. For a handler over the whole of it that is
/// FULL_DUPLEX_STREAMED, where nothing that it writes waits for an answer; STREAMED where that one
/// excludes what is asked for, or there is none. For a handler of messages it is BUFFERED, of which
/// it gets one. In observability_mode it is STREAMED, since nothing else is sent there.
BodySendMode open_body_mode(const Needs& needs, Phase phase);

/// Whether bodies must be sent before their headers are answered
/// (`send_body_without_waiting_for_header_response`): it is stated, or headers wait for a body that
/// is STREAMED.
bool sends_body_unasked(const Needs& needs);

/// What one filter in front of several processors needs.
Needs together(const std::vector<Needs>& processors);

/// The least that serves the needs; it leaves nothing to Envoy.
ProcessingMode needed_mode(const Needs& needs);

/// Throws Error where the needs contradict each other, so that no mode could serve them.
void require_consistent(const Needs& needs);

}  // namespace extproc::envoy_config
