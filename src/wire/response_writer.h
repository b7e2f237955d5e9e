#pragma once

#include <string>
#include <string_view>

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
void write_trailers_response(std::string& out, Phase phase, const TrailersResponse& response);

/// A body answer for FULL_DUPLEX_STREAMED: the body that goes on is in `streamed_response`, the
/// only legal form there.
void write_streamed_body_response(std::string& out, Phase phase, const BodyResponse& response,
                                  std::string_view body, bool end_of_stream);

void write_immediate_response(std::string& out, const ImmediateResponse& response);

}  // namespace extproc::wire
