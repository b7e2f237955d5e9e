#pragma once

#include <optional>

#include "extproc/body.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "extproc/response.h"

namespace extproc::exchange {

/// What a stream knows of how bodies come in each direction, and what that asks of an answer.
class BodyModes {
 public:
  /// From the stream's first message; clients other than Envoy may leave it out.
  void configure(const std::optional<ProtocolConfiguration>& config) { config_ = config; }
  /// An answer asked for other modes; it is taken for granted that the filter allows it.
  void apply(const ModeOverride& mode);
  /// The headers of a direction came to this processor.
  void headers_seen(Phase phase, bool content_length) { of(phase) = {true, content_length}; }
  /// The answer to them sets content-length.
  void content_length_set(Phase phase) { of(phase).content_length = true; }

  /// Of a chain's processor: bodies come as `frame`, the chain's own, says. It must outlive this.
  void come_as(const BodyModes& frame) { frame_ = &frame; }

  const std::optional<ProtocolConfiguration>& config() const { return config_; }
  bool overridden() const { return overridden_; }
  /// The mode of a direction that the filter has for this processor; nothing when it is not known.
  std::optional<BodySendMode> mode(Phase phase) const {
    if (!config_) return std::nullopt;
    return is_request_phase(phase) ? config_->request_body_mode : config_->response_body_mode;
  }
  /// The mode in which the direction's body comes: in a chain another may have asked for it.
  std::optional<BodySendMode> comes_in(Phase phase) const {
    return frame_ == nullptr ? mode(phase) : frame_->mode(phase);
  }
  /// Whether body answers of this phase must be streamed_response.
  bool full_duplex(Phase phase) const {
    const auto known = comes_in(phase);
    return known && is_full_duplex(*known);
  }
  /// Whether header changes count in the answer to a body.
  bool takes_headers_with_body(Phase phase) const;

  /// Where Envoy compares the length of a replaced body with content-length, sets it right in the
  /// same answer: in BUFFERED mode with headers sent, a difference is a 500. Elsewhere Envoy drops
  /// content-length itself. Where there is none, none is added: an HTTP/1.1 message with trailers
  /// would lose them.
  void correct_content_length(Phase phase, const HttpBody& body, BodyResponse& response) const;

  /// Whether the answer to these headers, which asks for `mode`, must remove content-length for
  /// the body to be changed: Envoy drops it by the filter's own mode, before the answer.
  bool override_needs_no_content_length(Phase headers_phase, const ModeOverride& mode) const;

 private:
  struct Headers {
    bool seen = false;
    bool content_length = false;
  };

  Headers& of(Phase phase) { return headers_[is_request_phase(phase) ? 0 : 1]; }
  const Headers& of(Phase phase) const { return headers_[is_request_phase(phase) ? 0 : 1]; }

  std::optional<ProtocolConfiguration> config_;
  Headers headers_[2];
  const BodyModes* frame_ = nullptr;
  bool overridden_ = false;
};

}  // namespace extproc::exchange
