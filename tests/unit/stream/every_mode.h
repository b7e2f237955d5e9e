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
constexpr wire::ProtocolConfig every(BodySendMode mode) { return {mode, mode, false}; }
inline constexpr wire::ProtocolConfig kStreamed = every(BodySendMode::streamed);
inline constexpr wire::ProtocolConfig kBuffered = every(BodySendMode::buffered);
inline constexpr wire::ProtocolConfig kFullDuplex = every(BodySendMode::full_duplex_streamed);

}  // namespace extproc::stream
