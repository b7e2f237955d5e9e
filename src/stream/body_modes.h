#pragma once

#include <optional>

#include "extproc/body.h"
#include "extproc/phase.h"
#include "extproc/response.h"
#include "wire/request_reader.h"

namespace extproc::stream {

/// What a stream knows of how bodies come in each direction, and what that asks of an answer.
class BodyModes {
 public:
  /// From the stream's first message; clients other than Envoy may leave it out.
  void configure(const std::optional<wire::ProtocolConfig>& config) { config_ = config; }
  /// The headers of a direction came to this processor.
  void headers_seen(Phase phase) {
    (is_request_phase(phase) ? request_headers_ : response_headers_) = true;
  }

  /// Whether body answers of this phase must be streamed_response.
  bool full_duplex(Phase phase) const {
    return mode(phase) == wire::BodyMode::full_duplex_streamed;
  }

  /// Where Envoy compares the length of a replaced body with content-length, sets it right in the
  /// same answer: in BUFFERED mode with headers sent, a difference is a 500. Elsewhere Envoy drops
  /// content-length itself.
  void correct_content_length(Phase phase, const HttpBody& body, BodyResponse& response) const;

 private:
  std::optional<wire::BodyMode> mode(Phase phase) const {
    if (!config_) return std::nullopt;
    return is_request_phase(phase) ? config_->request_body_mode : config_->response_body_mode;
  }

  std::optional<wire::ProtocolConfig> config_;
  bool request_headers_ = false;
  bool response_headers_ = false;
};

}  // namespace extproc::stream
