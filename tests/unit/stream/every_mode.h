#pragma once

#include "wire/request_reader.h"

namespace extproc::stream {

/// The body modes, in the order of their numbers.
inline constexpr BodySendMode kModes[] = {BodySendMode::none,
                                          BodySendMode::streamed,
                                          BodySendMode::buffered,
                                          BodySendMode::buffered_partial,
                                          BodySendMode::full_duplex_streamed,
                                          BodySendMode::grpc};

/// A filter that has the same mode for both bodies.
constexpr ProtocolConfiguration every(BodySendMode mode) { return {mode, mode, false}; }
inline constexpr ProtocolConfiguration kStreamed = every(BodySendMode::streamed);
inline constexpr ProtocolConfiguration kBuffered = every(BodySendMode::buffered);
inline constexpr ProtocolConfiguration kFullDuplex = every(BodySendMode::full_duplex_streamed);

}  // namespace extproc::stream
