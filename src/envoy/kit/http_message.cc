#include "envoy/kit/http_message.h"

#include <charconv>

namespace extproc::testing::envoy {
namespace {

constexpr int kNotModified = 304;

constexpr int kSwitchingProtocols = 101;

constexpr std::string_view kOfOneHop[] = {"transfer-encoding", "keep-alive", "proxy-connection"};
constexpr std::string_view kOfUpgrades[] = {"connection", "upgrade"};

bool is_upgrade(const HeaderMap& message) {
  const auto* connection = message.get("connection");
  return connection != nullptr && lower_case(*connection).find("upgrade") != std::string::npos &&
         message.get("upgrade") != nullptr;
}

bool has_method(const HeaderMap& request, std::string_view name) {
  const auto* method = request.get(":method");
  return method != nullptr && *method == name;
}

}  // namespace

// A QUERY says of what type its body is.
bool is_refused(const HeaderMap& request) {
  const auto* type = request.get("content-type");
  return has_method(request, "QUERY") && (type == nullptr || type->empty());
}

bool asks_for_websocket(const HeaderMap& request) {
  return is_upgrade(request) && lower_case(*request.get("upgrade")) == "websocket";
}

bool is_scheme(const std::string& text) {
  const std::string lower = lower_case(text);
  return lower == "http" || lower == "https";
}

int status_of(const HeaderMap& response) {
  int status = 0;
  if (const auto* text = response.get(":status"))
    std::from_chars(text->data(), text->data() + text->size(), status);
  return status;
}

bool has_status(const HeaderMap& response) {
  const auto* text = response.get(":status");
  return text != nullptr && !text->empty() &&
         text->find_first_not_of("0123456789") == std::string::npos;
}

bool has_no_body(const HeaderMap& response, const HeaderMap& request) {
  return has_method(request, "HEAD") || status_of(response) == kNotModified;
}

void remove_headers_of_one_hop(HeaderMap& response, const HeaderMap& request) {
  for (const auto name : kOfOneHop) response.remove(name);
  if (is_upgrade(request)) {
    // On its way to a caller of HTTP/2.
    const auto* length = response.get("content-length");
    if (is_upgrade(response) && length != nullptr && *length == "0")
      response.remove("content-length");
    if (status_of(response) == kSwitchingProtocols) return;
  }
  for (const auto name : kOfUpgrades) response.remove(name);
}

}  // namespace extproc::testing::envoy
