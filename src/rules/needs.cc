#include "rules/needs.h"

#include <algorithm>
#include <string>
#include <vector>

namespace extproc::rules {
namespace {

void add(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const std::string& name : more) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
}

template <class T>
void take_longer(std::optional<T>& time, const std::optional<T>& other) {
  if (other && (!time || *other > *time)) time = other;
}

template <class T>
bool differ(const std::optional<T>& first, const std::optional<T>& second) {
  return first && second && *first != *second;
}

}  // namespace

Needs together(Needs sum, const Needs& other) {
  if (!sum.request_body_mode) sum.request_body_mode = other.request_body_mode;
  if (!sum.response_body_mode) sum.response_body_mode = other.response_body_mode;
  sum.request_headers_wait_for_body |= other.request_headers_wait_for_body;
  sum.response_headers_wait_for_body |= other.response_headers_wait_for_body;
  sum.request_trailers |= other.request_trailers;
  sum.response_trailers |= other.response_trailers;
  sum.request_data |= other.request_data;
  add(sum.request_attributes, other.request_attributes);
  add(sum.response_attributes, other.response_attributes);
  add(sum.metadata_read, other.metadata_read);
  add(sum.metadata_set, other.metadata_set);
  sum.mode_override |= other.mode_override;
  sum.observability_mode &= other.observability_mode;
  sum.send_body_without_waiting_for_header_response |=
      other.send_body_without_waiting_for_header_response;
  take_longer(sum.message_timeout, other.message_timeout);
  take_longer(sum.max_message_timeout, other.max_message_timeout);
  sum.allow_all_routing |= other.allow_all_routing;
  sum.allow_envoy |= other.allow_envoy;
  return sum;
}

bool contradict(const Needs& first, const Needs& second) {
  return differ(first.request_body_mode, second.request_body_mode) ||
         differ(first.response_body_mode, second.response_body_mode);
}

FilterSettings filled_in(FilterSettings settings, const Needs& needs) {
  const FilterSettings defaults;
  if (settings.message_timeout == defaults.message_timeout && needs.message_timeout)
    settings.message_timeout = *needs.message_timeout;
  if (settings.max_message_timeout == defaults.max_message_timeout && needs.max_message_timeout)
    settings.max_message_timeout = *needs.max_message_timeout;
  settings.allow_mode_override |= needs.mode_override;
  settings.allow_all_routing |= needs.allow_all_routing;
  settings.allow_envoy |= needs.allow_envoy;
  return settings;
}

}  // namespace extproc::rules
