#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "extproc/phase.h"

namespace extproc::exchange {

/// What an exchange is at, for people who ask.
struct OpenExchange {
  /// Of a chain the one whose handler runs, or the chain.
  std::string processor{};
  /// Empty where it is not known.
  std::string request_id{};
  /// Nothing before the first message.
  std::optional<Phase> phase{};
  /// As the end of "waits for ...".
  std::string waits_for{};
  /// Nothing where its host does not measure.
  std::optional<std::chrono::nanoseconds> age{};
  /// Of a handler that runs.
  std::optional<std::chrono::nanoseconds> in_handler{};
};

}  // namespace extproc::exchange
