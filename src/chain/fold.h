#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "chain/merged_mutation.h"
#include "extproc/response.h"

namespace extproc::chain {

/// Of what a link made of a body, in bytes, from one use of a pooled exchange to the next.
inline constexpr std::size_t kKeptBodyBytes = std::size_t{4} << 10;

/// The net effect of what the processors of a chain answer to one message.
struct Fold {
  MergedMutation changes;
  std::optional<ResponseExtras> extras;
  bool clear_route_cache = false;
  /// Of bodies: what goes on in place of what came.
  BodyChange body_change = BodyChange::none;
  std::string body;
  bool grpc_message_compressed = false;
  /// All of them have answered.
  bool complete = false;

  void clear();
  /// Adds what an answer carries besides changes and modes; null is nothing.
  void take_extras(const ResponseExtras* more);
  /// Puts all but the body and modes into an answer that is empty. `spare`: see
  /// MergedMutation::write_all().
  void write(PhaseResponse& answer, std::string_view spare) const;
};

}  // namespace extproc::chain
