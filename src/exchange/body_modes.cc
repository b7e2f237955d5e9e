#include "exchange/body_modes.h"

#include <charconv>
#include <string_view>

#include "rules/mode_rules.h"

namespace extproc::exchange {

void BodyModes::apply(const ModeOverride& mode) {
  overridden_ = true;
  if (!config_) return;
  if (mode.request_body_mode) config_->request_body_mode = *mode.request_body_mode;
  if (mode.response_body_mode) config_->response_body_mode = *mode.response_body_mode;
}

bool BodyModes::takes_headers_with_body(Phase phase) const {
  return rules::takes_headers_with_body(mode(phase));
}

void BodyModes::correct_content_length(Phase phase, const HttpBody& body,
                                       BodyResponse& response) const {
  if (response.body_change() == BodyChange::none) return;
  if (!of(phase).seen || !of(phase).content_length) return;
  const auto known = comes_in(phase);
  // Without a configuration, one message that ends its direction is as good as a buffered body.
  const bool buffered = known && *known != BodySendMode::none ? *known == BodySendMode::buffered
                                                              : body.end_of_stream();
  if (!buffered) return;
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, response.body().size());
  response.set_header("content-length",
                      std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

bool BodyModes::override_needs_no_content_length(Phase headers_phase,
                                                 const ModeOverride& mode) const {
  if (!of(headers_phase).content_length) return false;
  const auto& asked =
      is_request_phase(headers_phase) ? mode.request_body_mode : mode.response_body_mode;
  return asked == BodySendMode::streamed || asked == BodySendMode::buffered_partial;
}

}  // namespace extproc::exchange
