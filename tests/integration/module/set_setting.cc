#include "set_setting.h"

#include <chrono>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace test_processors {
namespace {

extproc::ModeOverride mode_of(const std::string& digits) {
  using namespace extproc;
  const auto header = [&](std::size_t at) {
    return digits.at(at) == '0' ? std::nullopt
                                : std::optional(static_cast<HeaderSendMode>(digits[at] - '0'));
  };
  const auto body = [&](std::size_t at) { return static_cast<BodySendMode>(digits.at(at) - '0'); };
  return {.response_header_mode = header(1),
          .request_body_mode = body(2),
          .response_body_mode = body(3),
          .request_trailer_mode = header(4),
          .response_trailer_mode = header(5),
          .request_header_mode = header(0)};
}

}  // namespace

void set_setting(extproc::Settings& settings, const std::string& text) {
  const auto at = text.find('=');
  const std::string name = text.substr(0, at);
  const std::string value = at == std::string::npos ? "" : text.substr(at + 1);
  const auto time = [&] { return std::chrono::milliseconds(std::stol(value)); };
  const bool on = value == "on";
  if (name == "message_timeout") {
    settings.filter.message_timeout = time();
  } else if (name == "max_message_timeout") {
    settings.filter.max_message_timeout = time();
  } else if (name == "allow_all_routing") {
    settings.filter.allow_all_routing = on;
  } else if (name == "allow_envoy") {
    settings.filter.allow_envoy = on;
  } else if (name == "held_bytes") {
    settings.limits.held_bytes_per_stream = std::stoul(value);
  } else if (name == "held_time") {
    settings.limits.held_time = time();
  } else if (name == "allow_content_length_header") {
    settings.filter.allow_content_length_header = on;
  } else if (name == "allow_mode_override") {
    settings.filter.allow_mode_override = on;
  } else if (name == "allowed_override_modes") {
    std::istringstream modes(value);
    for (std::string mode; std::getline(modes, mode, ',');)
      settings.filter.allowed_override_modes.push_back(mode_of(mode));
  } else if (name == "early_end") {
    settings.early_end = on;
  } else if (name == "automatic_mode_override") {
    settings.automatic_mode_override = on;
  } else if (name == "traces") {
    auto& tracing = settings.tracing.emplace();
    tracing.endpoint = value;
    tracing.delay = std::chrono::milliseconds(20);
  } else if (name == "reveal_chain") {
    settings.reveal_chain = on;
  } else {
    throw std::invalid_argument("no such setting: " + name);
  }
}

}  // namespace test_processors
