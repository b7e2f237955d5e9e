#include "blocks/jwt/json.h"

#include <algorithm>
#include <utility>

namespace extproc::jwt {

namespace {

constexpr JsonLimits kLimits{.value_bytes = std::size_t{1} << 20};

Members::Member member_of(const JsonField& field) {
  return {field.kind, std::string(field.raw), field.text().value_or("")};
}

/// Calls `take` with each field; whether it is JSON.
template <class Take>
bool read_fields(std::string_view json, const JsonPaths& paths, const Take& take) {
  JsonReader reader(paths, kLimits);
  reader.push(json);
  while (const JsonField* field = reader.next()) take(*field);
  reader.finish();
  while (const JsonField* field = reader.next()) take(*field);
  return !reader.error();
}

bool begins_with(std::string_view json, char c) {
  const auto at = json.find_first_not_of(" \t\r\n");
  return at != std::string_view::npos && json[at] == c;
}

}  // namespace

std::optional<Members> Members::read(std::string_view json, const std::vector<std::string>& names) {
  if (!begins_with(json, '{')) return std::nullopt;
  std::vector<std::string> pointers;
  pointers.reserve(names.size());
  for (const std::string& name : names) pointers.push_back('/' + name);
  const JsonPaths paths(pointers);
  Members members;
  bool twice = false;
  const bool is_json = read_fields(json, paths, [&](const JsonField& field) {
    twice = twice || members.find(names[field.path]) != nullptr;
    members.members_.emplace_back(names[field.path], member_of(field));
  });
  if (!is_json || twice) return std::nullopt;
  return members;
}

const Members::Member* Members::find(std::string_view name) const {
  const auto found = std::ranges::find(members_, name, &std::pair<std::string, Member>::first);
  return found == members_.end() ? nullptr : &found->second;
}

std::optional<std::string_view> Members::text(std::string_view name) const {
  const Member* const member = find(name);
  if (member == nullptr || member->kind != JsonKind::string) return std::nullopt;
  return member->text;
}

bool Members::is_other(std::string_view name) const {
  const Member* const member = find(name);
  return member != nullptr && member->kind != JsonKind::string;
}

std::optional<std::vector<Members::Member>> elements_of(std::string_view json, std::size_t most) {
  static const JsonPaths paths({"/*"});
  if (!begins_with(json, '[')) return std::nullopt;
  std::vector<Members::Member> elements;
  bool too_many = false;
  const bool is_json = read_fields(json, paths, [&](const JsonField& field) {
    too_many = too_many || elements.size() == most;
    if (!too_many) elements.push_back(member_of(field));
  });
  if (!is_json || too_many) return std::nullopt;
  return elements;
}

}  // namespace extproc::jwt
