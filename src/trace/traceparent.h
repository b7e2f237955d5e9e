#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "extproc/trace.h"

namespace extproc::trace {

// What W3C Trace Context (level 2) says of the two headers.

inline constexpr std::string_view kTraceparent = "traceparent";
inline constexpr std::string_view kTracestate = "tracestate";
/// Of the version that is written, "00".
inline constexpr std::size_t kTraceparentSize = 55;
/// What is kept of a tracestate, in bytes; a longer one is not passed on.
inline constexpr std::size_t kMostTracestate = 512;

/// Of versions up to fe; of later ones what they have in common with 00. Flags that level 2 does
/// not know are left out. Nothing where it is not one: the trace then begins anew.
std::optional<TraceContext> parse_traceparent(std::string_view text);

/// Whether a list of members is what it has to be to be passed on: members that are well-formed, at
/// most 32, none twice, and no longer than kMostTracestate.
bool is_tracestate(std::string_view text);

}  // namespace extproc::trace
