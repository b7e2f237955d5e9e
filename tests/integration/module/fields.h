#pragma once

#include <extproc/extproc.h>

#include "action.h"

namespace test_processors {

/// The verbs about the protocol's other fields:
///
///   attribute name              sets x-attribute-<name> to its JSON, or "none"
///   metadata namespace          sets x-metadata-<namespace> to its JSON, or "none"
///   typed_metadata namespace    sets x-typed-metadata-<namespace> to "<type URL> <hexadecimal>"
///   trace                       sets x-trace-<phase> to the traceparent and tracestate, or "none"
///   config                      sets x-config to the protocol configuration
///   log text                    a line on standard error with the phase
///   emit namespace JSON         dynamic metadata
///   emit_typed namespace type hexadecimal
///   reply JSON                  an immediate response with all of its members
///   fall_back ms [status text]  PhaseResponse::fall_back_after
///
/// False for a verb that is none of them.
bool act_on_fields(const Action& action, const extproc::Context& context,
                   extproc::PhaseResponse& response);

/// `mode_override` from "request_body=STREAMED,response_trailer=SKIP,…".
extproc::ModeOverride mode_override_of(std::string_view text);

/// A response that is written piece by piece, from JSON: status, headers, trailers; chunks, with
/// `delay` milliseconds before each.
struct StreamedScript {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::vector<std::string> chunks{};
  std::vector<std::pair<std::string, std::string>> trailers{};
  std::chrono::milliseconds delay{0};
};
StreamedScript streamed_script(std::string_view json);

std::string to_hex(std::string_view bytes);
std::string from_hex(std::string_view hex);

}  // namespace test_processors
