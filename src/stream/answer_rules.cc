#include "stream/answer_rules.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace extproc::stream {
namespace {

/// The connection manager's limit of headers, which Envoy holds against sets and removes each.
constexpr std::size_t kMostMutations = 100;

enum CharacterClass : std::uint8_t { kName = 1, kValue = 2 };

/// What a character may be part of. Names are tokens of RFC 9110, in lower case as HTTP/2 has them;
/// values are anything but control characters, tab excepted.
constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool control = (c < 0x20 && c != '\t') || c == 0x7f;
    if (!control) classes[c] |= kValue;
    const bool token =
        (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
        std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
    if (token) classes[c] |= kName;
  }
  return classes;
}

constexpr auto kClasses = make_classes();

bool all_are(CharacterClass wanted, std::string_view text) {
  std::uint8_t common = wanted;
  for (const char c : text) common &= kClasses[static_cast<unsigned char>(c)];
  return common != 0;
}

bool is_pseudo(std::string_view name) { return name.starts_with(':'); }

bool denied(std::string_view name, bool replaces_message, const FilterSettings& filter) {
  switch (name.empty() ? '\0' : name.front()) {
    case ':':
      if (name == ":method" && replaces_message) return false;
      return !filter.allow_all_routing &&
             (name == ":authority" || name == ":method" || name == ":scheme");
    case 'h':
      return !filter.allow_all_routing && name == "host";
    case 'x':
      return !filter.allow_envoy && name.starts_with("x-envoy-");
    default:
      return false;
  }
}

bool valid(std::string_view name, std::string_view value) {
  const std::string_view token = is_pseudo(name) ? name.substr(1) : name;
  return !token.empty() && all_are(kName, token) && all_are(kValue, value);
}

}  // namespace

std::string_view advice(Rule rule) {
  switch (rule) {
    case Rule::header_not_removable:
      return "Envoy never removes host or pseudo-headers: set another value instead";
    case Rule::header_not_appendable:
      return "Envoy never appends to pseudo-headers: use set_header";
    case Rule::header_denied:
      return "Envoy leaves it as it is, or fails the request where disallow_is_error is set, "
             "unless the filter's mutation_rules allow the change "
             "(allow_all_routing, allow_envoy); say so in Settings::filter then";
    case Rule::header_invalid:
      return "its name or value has characters that HTTP does not allow, so that Envoy fails the "
             "request, and of an immediate response drops this header and all behind it: escape "
             "them";
    case Rule::too_many_mutations:
      return "Envoy accepts 100 headers to set and 100 to remove in one answer, and no more than "
             "100 "
             "in the result, and fails the request above it";
    case Rule::status_invalid:
      return "an HTTP status must be from 200 to 599: 500 was sent instead";
    case Rule::body_header_mutation:
      return "headers can be changed in the answer to a body in BUFFERED and BUFFERED_PARTIAL mode "
             "only: change them in the headers phase; this was left out";
    case Rule::clear_route_cache:
      return "it counts for requests only, together with a header change: this was left out";
    case Rule::mode_override:
      return "Envoy ignores it with send_body_without_waiting_for_header_response or "
             "FULL_DUPLEX_STREAMED, or for lack of the body modes: this was left out";
    case Rule::streamed_response:
      return "a response can be written piece by piece in request_headers only: this was left out";
    case Rule::immediate_too_late:
      return "the response's headers may be on their way already, and then Envoy resets the "
             "stream: "
             "answer in response_headers, or with a body mode of BUFFERED";
    case Rule::body_written_too_late:
      return "in STREAMED mode each chunk is answered when the next is read, and trailers follow "
             "the last: write before reading on, or use FULL_DUPLEX_STREAMED; this was left out";
    case Rule::answered_too_late:
      return "the fallback had been sent already: give the handler more time, or let it stop when "
             "Context::cancelled";
  }
  return "";
}

void check_mutation(const HeaderMutation& mutation, bool replaces_message,
                    const FilterSettings& filter, ViolationListener& listener) {
  std::size_t removes = 0;
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const auto [operation, name, value] = mutation.at(i);
    if (operation == HeaderMutation::Operation::remove) {
      ++removes;
      if (is_pseudo(name) || name == "host") {
        listener.on_violation(Rule::header_not_removable, name);
      } else if (!valid(name, {})) {
        listener.on_violation(Rule::header_invalid, name);
      } else if (denied(name, replaces_message, filter)) {
        listener.on_violation(Rule::header_denied, name);
      }
    } else if (!valid(name, value)) {
      listener.on_violation(Rule::header_invalid, name);
    } else if (operation == HeaderMutation::Operation::append && is_pseudo(name)) {
      listener.on_violation(Rule::header_not_appendable, name);
    } else if (denied(name, replaces_message, filter)) {
      listener.on_violation(Rule::header_denied, name);
    }
  }
  if (removes > kMostMutations || mutation.size() - removes > kMostMutations) {
    listener.on_violation(Rule::too_many_mutations, {});
  }
}

void check_immediate(ImmediateResponse& response, const FilterSettings& filter,
                     ViolationListener& listener) {
  if (response.status < 200 || response.status > 599) {
    listener.on_violation(Rule::status_invalid, ":status");
    response.status = 500;
  }
  HeaderMutation mutation;
  for (const auto& [name, value] : response.headers) mutation.set(name, value);
  for (const auto& name : response.removed_headers) mutation.remove(name);
  check_mutation(mutation, false, filter, listener);
}

}  // namespace extproc::stream
