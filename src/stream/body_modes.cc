#include "stream/body_modes.h"

#include <charconv>
#include <string_view>

namespace extproc::stream {

void BodyModes::correct_content_length(Phase phase, const HttpBody& body,
                                       BodyResponse& response) const {
  if (response.body_change() == BodyChange::none) return;
  if (!(is_request_phase(phase) ? request_headers_ : response_headers_)) return;
  const auto known = mode(phase);
  // Without a configuration, one message that ends its direction is as good as a buffered body.
  const bool buffered = known ? *known == wire::BodyMode::buffered : body.end_of_stream();
  if (!buffered) return;
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, response.body().size());
  response.set_header("content-length",
                      std::string_view(digits, static_cast<std::size_t>(end - digits)));
}

}  // namespace extproc::stream
