#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "extproc/body.h"
#include "extproc/headers.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"

namespace extproc::exchange {

/// The field under which the entries of `attributes` are kept, so that they can be read as a map.
inline constexpr unsigned kStoredAttributes = 1;

/// What a message tells of the HTTP request besides a phase, as bytes: who carries messages says
/// where they are, and they are fetched when they are kept.
class MessageSource {
 public:
  /// Appends the entries of `ProcessingRequest.attributes`, each serialised as the field
  /// kStoredAttributes.
  virtual void store_attributes(std::string& out) const = 0;
  /// Puts the serialised `ProcessingRequest.metadata_context` in place of `out`.
  virtual void store_metadata(std::string& out) const = 0;

 protected:
  ~MessageSource() = default;
};

/// What an exchange is told at a time, however it came: `ProcessingRequest` without its wire. Its
/// views need live no longer than the call that hands it over.
struct Message {
  /// Which part of the HTTP exchange it brings; nothing when it brings none.
  std::optional<Phase> phase{};
  /// Since when the peer waits for the answer; nothing where that is now.
  std::optional<std::chrono::steady_clock::time_point> since{};
  /// Of headers and bodies.
  bool end_of_stream = false;
  /// Of bodies.
  std::string_view body{};
  HttpBody::Flags body_flags{};
  /// Of headers and trailers.
  std::span<const Header> headers{};

  bool observability_mode = false;
  /// How the filter is set up; on the first message.
  std::optional<ProtocolConfiguration> protocol_config{};
  /// There are some in `source`.
  bool has_attributes = false;
  /// There is one in `source`, of so many bytes.
  bool has_metadata = false;
  std::size_t metadata_bytes = 0;
  /// Null where it has neither.
  const MessageSource* source = nullptr;
};

}  // namespace extproc::exchange
