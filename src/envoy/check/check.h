#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/needs.h"
#include "extproc/filter_settings.h"
#include "extproc/limits.h"
#include "extproc/own_settings.h"

namespace extproc::envoy_config {

/// An error bites: requests fail, or a processor does not get or change what it means to. A warning
/// costs something, or may bite. Advice is what would serve better, and nothing is wrong without
/// it.
enum class Severity : std::uint8_t { advice, warning, error };

/// Something in a configuration that its author should know of.
struct Finding {
  /// From 1.
  int line = 0;
  int column = 0;
  Severity severity = Severity::error;
  /// The finding's kind: "phase-not-sent".
  std::string rule;
  /// What happens.
  std::string what;
  /// What to do about it.
  std::string mend;

  friend bool operator==(const Finding&, const Finding&) = default;
};

/// The processors that a filter inside Envoy names, as it would make them.
struct InsideProcessors {
  struct Processor {
    /// "module.Name", or "Name" of one in the filter's own file.
    std::string name;
    OwnSettings settings{};
  };
  /// In the order of the request.
  std::vector<Processor> processors{};
  std::vector<std::string> module_path{};
  /// As Needs has it.
  std::string chain_header{};
  FilterSettings filter{};
  /// All that the filter is told: what nobody has read when the processors are made is not known.
  OwnSettings all{};
};

struct CheckScope {
  /// Only filters of this name count.
  std::optional<std::string> filter{};
  /// Each processor has a filter of its own; one filter for all of them is refused.
  bool separate = false;
  /// The largest message that the server accepts, in bytes.
  std::size_t message_bytes = Limits{}.message_bytes;
  /// Whether it speaks TLS; nothing where nobody says so.
  std::optional<bool> tls{};
  /// Makes them, and tells what they need. Throws Error, which begins as those of their settings do
  /// where the filter would refuse these. Not set: filters inside Envoy have `processors` as well.
  std::function<Needs(const InsideProcessors&)> inside{};
  /// "module.Name" of `processors`, which a filter inside Envoy is expected to have. None: any.
  std::vector<std::string> names{};
};

/// Reads a configuration (a bootstrap, or a part of one, YAML or JSON) and compares its ext_proc
/// filters, and the clusters that they name, with what the processors need. A listener with one
/// filter is compared with all of them together; one with as many filters as processors, each
/// with its own, in order. Filters inside Envoy name their processors themselves.
///
/// In the order of their lines. Throws Error when the text cannot be parsed, or when it cannot be
/// told which filter is whose.
std::vector<Finding> check(std::string_view yaml, const std::vector<Needs>& processors,
                           const CheckScope& scope = {});

}  // namespace extproc::envoy_config
