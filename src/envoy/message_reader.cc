#include "envoy/message_reader.h"

#include <algorithm>

#include "base/nearest.h"

namespace extproc::envoy_config {
namespace {

using std::chrono::nanoseconds;

}  // namespace

Place place_of(const YAML::Node& node) {
  if (!node.IsDefined()) return {};
  const YAML::Mark mark = node.Mark();
  return {mark.line + 1, mark.column + 1};
}

MessageReader::MessageReader(const YAML::Node& message, std::string_view type,
                             std::vector<Problem>& problems)
    : message_(message), type_(type), problems_(problems) {
  if (message_.IsMap() || message_.IsNull()) return;
  problem(message_, "unknown-value",
          std::string(type_) + " must be a mapping: Envoy refuses the configuration",
          "write its fields below it, or {}");
}

Field MessageReader::take(std::string_view name) {
  known_.push_back(name);
  return field(message_, name);
}

void MessageReader::refuse_kind(const YAML::Node& value, std::string_view name,
                                std::string_view kind) {
  problem(value, "unknown-value",
          std::string(name) + " must be " + std::string(kind) + ": Envoy refuses the configuration",
          "write " + std::string(kind) + ", or remove it");
}

Setting<bool> MessageReader::boolean(std::string_view name) {
  const Field field = take(name);
  if (!field) return {};
  bool value = false;
  // Envoy's reader is the same one: "yes" is true to it as well.
  if (!YAML::convert<bool>::decode(field.value, value))
    refuse_kind(field.value, name, "true or false");
  return stated(field, value);
}

Setting<std::string> MessageReader::text(std::string_view name) {
  const Field field = take(name);
  if (!field) return {};
  if (!field.value.IsScalar()) refuse_kind(field.value, name, "a text");
  return stated(field, envoy_config::text(field.value));
}

Setting<std::optional<nanoseconds>> MessageReader::duration(std::string_view name) {
  const Field field = take(name);
  if (!field) return {};
  const auto time = envoy_config::duration(field.value);
  if (!time) {
    problem(field.value, "not-a-duration",
            envoy_config::text(field.key) + " is no duration: Envoy refuses the configuration",
            "write seconds with an s behind them, as in 0.2s");
  }
  return stated(field, time);
}

Setting<nanoseconds> MessageReader::duration(std::string_view name, nanoseconds otherwise) {
  const auto read = duration(name);
  Setting<nanoseconds> time(read.value.value_or(otherwise));
  time.key = read.key;
  time.place = read.place;
  return time;
}

std::vector<YAML::Node> MessageReader::items(std::string_view name) {
  return envoy_config::items(take(name).value);
}

Setting<std::vector<std::string>> MessageReader::texts(std::string_view name) {
  std::vector<std::string> texts;
  for (const YAML::Node& item : items(name)) {
    if (!item.IsScalar()) refuse_kind(item, name, "a list of texts");
    texts.push_back(envoy_config::text(item));
  }
  const Field found = field(message_, name);
  return found ? stated(found, std::move(texts)) : Setting<std::vector<std::string>>();
}

Setting<std::size_t> MessageReader::choice(std::string_view name,
                                           std::span<const std::string_view> names) {
  const Field field = take(name);
  if (!field) return {};
  const std::string value = envoy_config::text(field.value);
  for (std::size_t number = 0; number < names.size(); ++number) {
    if (value == names[number] || value == std::to_string(number)) return stated(field, number);
  }
  problem(
      field.value, "unknown-value",
      envoy_config::text(field.key) + " cannot be " + value + ": Envoy refuses the configuration",
      "the nearest is " + nearest(value, names));
  return stated(field, std::size_t{0});
}

void MessageReader::done() {
  if (!message_.IsMap()) return;
  for (const auto& entry : message_) {
    const std::string name = envoy_config::text(entry.first);
    const std::string snake = snake_case(name);
    const auto is_it = [&](std::string_view field) { return field == name || field == snake; };
    if (std::ranges::any_of(known_, is_it)) continue;
    problem(entry.first, "unknown-field",
            std::string(type_) + " has no field " + name + ": Envoy refuses the configuration",
            "the nearest is " + nearest(snake, known_));
  }
}

}  // namespace extproc::envoy_config
