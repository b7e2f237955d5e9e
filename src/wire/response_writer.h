#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "extproc/body.h"
#include "extproc/headers.h"
#include "extproc/immediate_response.h"
#include "extproc/phase.h"
#include "extproc/response.h"

namespace extproc::wire {

// Each appends one serialised `envoy.service.ext_proc.v3.ProcessingResponse` to `out`. Header
// values go to `raw_value`, the only field that Envoy reads; whether a header is overwritten is
// written to both `append`, which Envoy reads, and `append_action`, which other clients do. A
// response that was left alone gives "continue, change nothing".

void write_headers_response(std::string& out, Phase phase, const HeadersResponse& response);
void write_body_response(std::string& out, Phase phase, const BodyResponse& response);
/// The same but for the body that replaces another: its bytes are to follow, and end the message.
void write_body_response_head(std::string& out, Phase phase, const BodyResponse& response);
void write_trailers_response(std::string& out, Phase phase, const TrailersResponse& response);

/// A body answer for FULL_DUPLEX_STREAMED and GRPC: the body that goes on is in
/// `streamed_response`, the only legal form there.
void write_streamed_body_response(std::string& out, Phase phase, const HttpBody& body,
                                  const HeaderMutation& mutation = {},
                                  bool clear_route_cache = false);

void write_immediate_response(std::string& out, const ImmediateResponse& response);

// The pieces of a `StreamedImmediateResponse`. Headers include ":status". The head is never the
// end: it leaves before it is known what follows.
void write_streamed_head(std::string& out, std::span<const Header> headers);
void write_streamed_chunk(std::string& out, std::string_view chunk, bool end_of_stream);
void write_streamed_trailers(std::string& out, std::span<const Header> trailers);

/// Adds the fields besides the oneof to the message that was written last.
void write_extras(std::string& out, const ResponseExtras& extras);

/// A message that only asks for more time: `override_message_timeout`.
void write_message_timeout(std::string& out, std::chrono::milliseconds timeout);

/// A message that only lets the client send more: `server_window_update`, in bytes.
void write_window_update(std::string& out, std::int64_t downstream_to_sidestream,
                         std::int64_t upstream_to_sidestream);

}  // namespace extproc::wire
