#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace extproc {

/// The phases of one HTTP request, each a member of the oneof `ProcessingRequest.request`.
enum class Phase : std::uint8_t {
  request_headers,
  request_body,
  request_trailers,
  response_headers,
  response_body,
  response_trailers,
};

inline constexpr std::size_t kPhaseCount = 6;

/// Envoy's name for the phase, as in "request_headers".
constexpr std::string_view to_string(Phase phase) {
  constexpr std::string_view kNames[kPhaseCount] = {"request_headers",  "request_body",
                                                    "request_trailers", "response_headers",
                                                    "response_body",    "response_trailers"};
  return kNames[static_cast<std::size_t>(phase)];
}

/// True for the three phases of the request, false for those of the response.
constexpr bool is_request_phase(Phase phase) { return phase <= Phase::request_trailers; }

/// What comes in the phase: each of these is true for one phase of the request and one of the
/// response.
constexpr bool is_headers(Phase phase) {
  return phase == Phase::request_headers || phase == Phase::response_headers;
}
constexpr bool is_body(Phase phase) {
  return phase == Phase::request_body || phase == Phase::response_body;
}
constexpr bool is_trailers(Phase phase) {
  return phase == Phase::request_trailers || phase == Phase::response_trailers;
}

/// A set of phases, as small as a byte.
class PhaseSet {
 public:
  constexpr PhaseSet() = default;
  constexpr PhaseSet(std::initializer_list<Phase> phases) {
    for (Phase phase : phases) insert(phase);
  }

  static constexpr PhaseSet all() {
    PhaseSet set;
    set.bits_ = (1U << kPhaseCount) - 1;
    return set;
  }

  constexpr void insert(Phase phase) { bits_ = static_cast<std::uint8_t>(bits_ | bit(phase)); }
  constexpr bool contains(Phase phase) const { return (bits_ & bit(phase)) != 0; }
  constexpr void erase(Phase phase) { bits_ = static_cast<std::uint8_t>(bits_ & ~bit(phase)); }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr PhaseSet operator|(PhaseSet a, PhaseSet b) {
    a.bits_ = static_cast<std::uint8_t>(a.bits_ | b.bits_);
    return a;
  }
  friend constexpr PhaseSet operator&(PhaseSet a, PhaseSet b) {
    a.bits_ = static_cast<std::uint8_t>(a.bits_ & b.bits_);
    return a;
  }
  friend constexpr bool operator==(PhaseSet, PhaseSet) = default;

 private:
  static constexpr std::uint8_t bit(Phase phase) {
    return static_cast<std::uint8_t>(1U << static_cast<std::uint8_t>(phase));
  }

  std::uint8_t bits_ = 0;
};

}  // namespace extproc
