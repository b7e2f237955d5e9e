#include "envoy/kit/yaml_fields.h"

#include <algorithm>
#include <charconv>

#include "extproc/testing/envoy.h"

namespace extproc::testing::envoy {
namespace {

// The fields of protobuf's JSON may be in camelCase too.
std::string camel_case(std::string_view name) {
  std::string camel;
  bool upper = false;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    camel.push_back(upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    upper = false;
  }
  return camel;
}

}  // namespace

YamlFields::YamlFields(const YAML::Node& node, std::string what)
    : node_(node), what_(std::move(what)) {
  if (!node_.IsMap() && !node_.IsNull()) fail_at(node_, what_ + " must be a mapping");
}

void YamlFields::fail_at(const YAML::Node& node, const std::string& text) {
  const auto mark = node.Mark();
  throw EnvoyConfigError((mark.is_null() ? "" : "line " + std::to_string(mark.line + 1) + ": ") +
                         text);
}

void YamlFields::fail(std::string_view field, std::string_view problem) const {
  const YAML::Node value = node_[std::string(field)];
  fail_at(value.IsDefined() ? value : node_,
          what_ + "." + std::string(field) + " " + std::string(problem));
}

std::optional<YAML::Node> YamlFields::take(std::string_view name) {
  known_.emplace_back(name);
  if (!node_.IsMap()) return std::nullopt;
  for (const auto& key : {std::string(name), camel_case(name)}) {
    const YAML::Node value = std::as_const(node_)[key];
    if (value.IsDefined() && !value.IsNull()) return value;
  }
  return std::nullopt;
}

bool YamlFields::has(std::string_view name) { return take(name).has_value(); }

bool YamlFields::boolean(std::string_view name, bool fallback) {
  const auto value = take(name);
  if (!value) return fallback;
  if (value->IsScalar() && value->Scalar() == "true") return true;
  if (value->IsScalar() && value->Scalar() == "false") return false;
  fail_at(*value, what_ + "." + std::string(name) + " must be true or false");
}

std::string YamlFields::text(std::string_view name, std::string fallback) {
  const auto value = take(name);
  if (!value) return fallback;
  if (!value->IsScalar()) fail_at(*value, what_ + "." + std::string(name) + " must be a text");
  return value->Scalar();
}

std::int64_t YamlFields::integer(std::string_view name, std::int64_t fallback) {
  const auto value = take(name);
  if (!value) return fallback;
  const std::string digits = value->IsScalar() ? value->Scalar() : "";
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
    fail_at(*value, what_ + "." + std::string(name) + " must be a whole number");
  return number;
}

std::optional<std::chrono::nanoseconds> YamlFields::duration(std::string_view name) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  std::string text = value->IsScalar() ? value->Scalar() : "";
  double seconds = 0;
  const bool has_unit = text.ends_with('s');
  if (has_unit) text.pop_back();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (!has_unit || text.empty() || error != std::errc() || end != text.data() + text.size() ||
      seconds < 0) {
    fail_at(*value,
            what_ + "." + std::string(name) + " must be a duration in seconds, such as 0.5s");
  }
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(seconds));
}

std::vector<std::string> YamlFields::texts(std::string_view name) {
  const auto value = take(name);
  std::vector<std::string> texts;
  if (!value) return texts;
  if (!value->IsSequence()) fail_at(*value, what_ + "." + std::string(name) + " must be a list");
  for (const auto& item : *value) {
    if (!item.IsScalar())
      fail_at(item, what_ + "." + std::string(name) + " must be a list of texts");
    texts.push_back(item.Scalar());
  }
  return texts;
}

int YamlFields::choice(std::string_view name,
                       std::initializer_list<std::pair<std::string_view, int>> values) {
  const auto value = take(name);
  if (!value) return 0;
  std::string names;
  for (const auto& [choice, number] : values) {
    if (value->IsScalar() &&
        (value->Scalar() == choice || value->Scalar() == std::to_string(number)))
      return number;
    names.append(names.empty() ? "" : ", ").append(choice);
  }
  fail_at(*value, what_ + "." + std::string(name) + " must be one of " + names);
}

std::optional<YamlFields> YamlFields::message(std::string_view name) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  return YamlFields(*value, what_ + "." + std::string(name));
}

std::vector<YamlFields> YamlFields::messages(std::string_view name) {
  const auto value = take(name);
  std::vector<YamlFields> messages;
  if (!value) return messages;
  if (!value->IsSequence()) fail_at(*value, what_ + "." + std::string(name) + " must be a list");
  for (std::size_t i = 0; i < value->size(); ++i)
    messages.emplace_back((*value)[i],
                          what_ + "." + std::string(name) + "[" + std::to_string(i) + "]");
  return messages;
}

void YamlFields::ignore(std::initializer_list<std::string_view> names) {
  known_.insert(known_.end(), names.begin(), names.end());
}

void YamlFields::done() const {
  if (!node_.IsMap()) return;
  for (const auto& entry : node_) {
    const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "";
    const bool known = std::any_of(known_.begin(), known_.end(), [&](const std::string& field) {
      return field == name || camel_case(field) == name;
    });
    if (!known) fail_at(entry.first, what_ + " has no field '" + name + "'");
  }
}

}  // namespace extproc::testing::envoy
