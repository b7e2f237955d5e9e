#pragma once

#include <string>
#include <vector>

#include "extproc/async.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"
#include "stream/every_mode.h"

namespace extproc::completeness {

using testing::EnvoyResult;

inline constexpr Phase kPhases[] = {Phase::request_headers,  Phase::request_body,
                                    Phase::request_trailers, Phase::response_headers,
                                    Phase::response_body,    Phase::response_trailers};

using stream::kModes;

/// Whether what a row asks to be spared comes all the same in a chain, since others need it there.
enum class Spared : std::uint8_t { yes, but_for_handlers, but_for_names };

/// What an answer can ask for, in each kind of phase that has it; null where it has not.
struct Row {
  std::string name;
  /// The fields and enum values that it is there for: "CommonResponse.clear_route_cache",
  /// "BodySendMode.BUFFERED". It has the library write them, in at least one place.
  std::vector<std::string> writes{};
  void (*headers)(HeadersResponse&) = nullptr;
  void (*body)(BodyResponse&) = nullptr;
  void (*trailers)(TrailersResponse&) = nullptr;
  /// After the body has gone through, unless it is dropped.
  void (*stream)(BodyStream&) = nullptr;
  /// Whether upstream or caller show it when it was asked for in a phase; null where they cannot.
  bool (*shown)(const EnvoyResult&, Phase) = nullptr;
  PhaseSet phases = {Phase::request_headers,  Phase::request_body,  Phase::request_trailers,
                     Phase::response_headers, Phase::response_body, Phase::response_trailers};
  bool drops_stream = false;
  /// Why a chain of it differs from filters, where that is meant.
  const char* chain_differs = nullptr;
  const char* chain_differs_with_trailers = nullptr;
  /// Why what else the answer asks for, after it, is not the same in a chain.
  const char* chain_differs_after = nullptr;
  Spared spared = Spared::yes;

  bool overrides() const { return name.starts_with("Override"); }
  bool acts(Phase phase, bool over_stream) const {
    if (!phases.contains(phase)) return false;
    if (is_headers(phase)) return headers != nullptr;
    if (is_trailers(phase)) return trailers != nullptr;
    return over_stream ? stream != nullptr : body != nullptr;
  }
};

const std::vector<Row>& rows();

/// A field or an enum value that the library never writes, and why.
struct Never {
  std::string what;
  const char* why;
};

const std::vector<Never>& never_written();

}  // namespace extproc::completeness
