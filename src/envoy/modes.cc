#include "envoy/modes.h"

#include <algorithm>

namespace extproc::envoy_config {

std::optional<BodySendMode> parse_body_mode(std::string_view name) {
  const auto* const found =
      std::ranges::find(kBodyModes, name, [](BodySendMode mode) { return to_string(mode); });
  return found == std::end(kBodyModes) ? std::nullopt : std::optional(*found);
}

bool ProcessingMode::sends(Phase phase) const {
  const auto is_sent = [](BodySendMode mode) {
    return mode != BodySendMode::none && mode != BodySendMode::grpc;
  };
  switch (phase) {
    case Phase::request_headers:
      return request_headers != HeaderSendMode::skip;
    case Phase::request_body:
      return is_sent(request_body);
    case Phase::request_trailers:
      return request_trailers == HeaderSendMode::send;
    case Phase::response_headers:
      return response_headers != HeaderSendMode::skip;
    case Phase::response_body:
      return is_sent(response_body);
    case Phase::response_trailers:
      return response_trailers == HeaderSendMode::send;
  }
  return false;
}

ModeOverride as_override(const ProcessingMode& mode) {
  return {.response_header_mode = mode.response_headers,
          .request_body_mode = mode.request_body,
          .response_body_mode = mode.response_body,
          .request_trailer_mode = mode.request_trailers,
          .response_trailer_mode = mode.response_trailers,
          .request_header_mode = mode.request_headers};
}

namespace {

template <class Mode>
struct ModeField {
  Phase phase;
  std::optional<Mode> ModeOverride::*member;
};

constexpr ModeField<HeaderSendMode> kHeaderFields[] = {
    {Phase::request_headers, &ModeOverride::request_header_mode},
    {Phase::response_headers, &ModeOverride::response_header_mode},
    {Phase::request_trailers, &ModeOverride::request_trailer_mode},
    {Phase::response_trailers, &ModeOverride::response_trailer_mode}};
constexpr ModeField<BodySendMode> kBodyFields[] = {
    {Phase::request_body, &ModeOverride::request_body_mode},
    {Phase::response_body, &ModeOverride::response_body_mode}};

std::optional<HeaderSendMode> parse_header_mode(std::string_view name) {
  for (const HeaderSendMode mode : {HeaderSendMode::send, HeaderSendMode::skip})
    if (name == to_string(mode)) return mode;
  return std::nullopt;
}

/// Whether it is one of these fields, with a value of theirs.
template <class Mode, std::size_t count, class Parse>
bool set_field(const ModeField<Mode> (&fields)[count], std::string_view name,
               std::string_view value, Parse parse, ModeOverride& mode) {
  for (const auto& field : fields) {
    if (name != mode_field(field.phase)) continue;
    mode.*field.member = parse(value);
    return (mode.*field.member).has_value();
  }
  return false;
}

}  // namespace

std::optional<ModeOverride> parse_override(std::string_view text) {
  ModeOverride mode;
  while (true) {
    const std::string_view part = text.substr(0, text.find(','));
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = part.substr(equals + 1);
    if (!set_field(kHeaderFields, name, value, parse_header_mode, mode) &&
        !set_field(kBodyFields, name, value, parse_body_mode, mode))
      return std::nullopt;
    if (part.size() == text.size()) return mode;
    text.remove_prefix(part.size() + 1);
  }
}

std::string to_string(const ModeOverride& mode) {
  std::string text;
  const auto add = [&](const auto& field) {
    const auto& value = mode.*field.member;
    if (!value) return;
    text += (text.empty() ? "" : ",") + std::string(mode_field(field.phase)) + "=" +
            std::string(to_string(*value));
  };
  for (const auto& field : kHeaderFields) add(field);
  for (const auto& field : kBodyFields) add(field);
  return text;
}

}  // namespace extproc::envoy_config
