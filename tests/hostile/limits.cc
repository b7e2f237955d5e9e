#include "limits.h"

#include <chrono>
#include <stdexcept>
#include <string>

namespace hostile {
namespace {

template <class Number>
void set(Number& member, const std::string& value) {
  member = static_cast<Number>(std::stoull(value));
}
void set(std::chrono::milliseconds& member, const std::string& value) {
  member = std::chrono::milliseconds(std::stol(value));
}

}  // namespace

void set_limit(extproc::Limits& limits, std::string_view text) {
  const auto at = text.find('=');
  const std::string_view name = text.substr(0, at);
  const std::string value(at == std::string_view::npos ? "" : text.substr(at + 1));
  if (name == "streams_per_connection") {
    set(limits.streams_per_connection, value);
  } else if (name == "connections") {
    set(limits.connections, value);
  } else if (name == "handshake_timeout") {
    set(limits.handshake_timeout, value);
  } else if (name == "idle_timeout") {
    set(limits.idle_timeout, value);
  } else if (name == "owed_resets_per_second") {
    set(limits.owed_resets_per_second, value);
  } else if (name == "owed_resets_burst") {
    set(limits.owed_resets_burst, value);
  } else {
    throw std::invalid_argument("no such limit: " + std::string(name));
  }
}

}  // namespace hostile
