#pragma once

#include <string>
#include <string_view>

#include "extproc/phase.h"
#include "extproc/testing.h"
#include "wire/request_reader.h"

namespace extproc::testing {

/// What every message of a stream, or its first one, carries besides the phase.
struct MessageExtras {
  bool observability_mode = false;
  const ProtocolConfiguration* protocol_config = nullptr;
  /// The serialised `metadata_context`, and one serialised entry of `attributes`.
  const std::string* metadata_context = nullptr;
  const std::string* attributes = nullptr;
};

// Each gives a serialised ProcessingRequest, written as Envoy writes it: header values in
// raw_value.

std::string write_headers(Phase phase, const HeaderList& entries, bool end_of_stream,
                          const MessageExtras& extras);
std::string write_body(Phase phase, std::string_view body, bool end_of_stream,
                       const MessageExtras& extras);
std::string write_trailers(Phase phase, const HeaderList& entries, const MessageExtras& extras);

}  // namespace extproc::testing
