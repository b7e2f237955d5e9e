#include "settings_file/values.h"

#include <array>
#include <utility>

#include "base/nearest.h"
#include "extproc/error.h"
#include "server/listen_address.h"
#include "settings_file/tree.h"

namespace extproc::settings_file {
namespace {

using detail::SettingNode;
using server::SettingRow;
using server::Unit;
using Kind = SettingNode::Kind;

void refuse(std::string_view name, const SettingNode& node, std::string_view accepted,
            Errors& errors) {
  errors.add(node.line,
             std::string(name) + " is " + shown(node) + ": it must be " + std::string(accepted));
}

/// As YAML has true and false, or as a text.
bool is_switch(const SettingNode& scalar) {
  const std::string& text = scalar.text;
  return text == "true" || text == "false" ||
         (!scalar.quoted && !is_text(scalar) && text.find_first_of("tTfF") == 0);
}

bool is_of_text(Unit unit) {
  return unit == Unit::text || unit == Unit::header_name || unit == Unit::header_names;
}

/// A list as its flag has it.
std::optional<std::string> joined(std::string_view name, const SettingNode& list, Errors& errors) {
  std::string text;
  for (const SettingNode& item : list.items) {
    const auto one = text_of(name, item, errors);
    if (!one) return std::nullopt;
    text += (text.empty() ? "" : ",") + *one;
  }
  return text;
}

template <class Mode>
std::optional<Mode> mode_of(std::string_view field, const SettingNode& node,
                            std::span<const std::pair<std::string_view, Mode>> modes,
                            Errors& errors) {
  std::string names;
  for (const auto& [name, mode] : modes) {
    if (node.kind == Kind::scalar && node.text == name) return mode;
    names += (names.empty() ? "one of " : ", ") + std::string(name);
  }
  refuse(field, node, names, errors);
  return std::nullopt;
}

constexpr auto kBodyModes = [] {
  std::array<std::pair<std::string_view, BodySendMode>, 6> modes;
  for (std::size_t i = 0; i < modes.size(); ++i) {
    const auto mode = static_cast<BodySendMode>(i);
    modes[i] = {to_string(mode), mode};
  }
  return modes;
}();
constexpr std::array<std::pair<std::string_view, HeaderSendMode>, 2> kHeaderModes{
    {{"SEND", HeaderSendMode::send}, {"SKIP", HeaderSendMode::skip}}};

constexpr std::pair<std::string_view, std::optional<BodySendMode> ModeOverride::*> kBodyFields[] = {
    {"request_body_mode", &ModeOverride::request_body_mode},
    {"response_body_mode", &ModeOverride::response_body_mode}};
constexpr std::pair<std::string_view, std::optional<HeaderSendMode> ModeOverride::*>
    kHeaderFields[] = {{"request_header_mode", &ModeOverride::request_header_mode},
                       {"response_header_mode", &ModeOverride::response_header_mode},
                       {"request_trailer_mode", &ModeOverride::request_trailer_mode},
                       {"response_trailer_mode", &ModeOverride::response_trailer_mode}};

bool set_field(ModeOverride& mode, const SettingNode::Key& key, const SettingNode& value,
               Errors& errors) {
  for (const auto& [name, member] : kBodyFields) {
    if (key.name != name) continue;
    mode.*member = mode_of<BodySendMode>(name, value, kBodyModes, errors);
    return (mode.*member).has_value();
  }
  for (const auto& [name, member] : kHeaderFields) {
    if (key.name != name) continue;
    mode.*member = mode_of<HeaderSendMode>(name, value, kHeaderModes, errors);
    return (mode.*member).has_value();
  }
  errors.add(key.line, key.name +
                           " is no field of ProcessingMode: there are request_body_mode, "
                           "response_body_mode, request_header_mode, response_header_mode, "
                           "request_trailer_mode, response_trailer_mode");
  return false;
}

}  // namespace

std::string shown(const SettingNode& node) {
  constexpr std::size_t kMost = 100;
  switch (node.kind) {
    case Kind::nothing:
      return "nothing";
    case Kind::list:
      return "a list";
    case Kind::mapping:
      return "a mapping";
    case Kind::scalar:
      break;
  }
  return "\"" + (node.text.size() > kMost ? node.text.substr(0, kMost) + "..." : node.text) + "\"";
}

std::optional<std::string> row_text(const SettingRow& row, const SettingNode& node,
                                    Errors& errors) {
  std::optional<std::string> text;
  if (node.kind == Kind::list && row.unit == Unit::header_names) {
    text = joined(row.name, node, errors);
    if (!text) return std::nullopt;
  } else if (node.kind == Kind::nothing) {
    errors.add(node.line, std::string(row.name) + " has no value: give it one, or leave it out");
    return std::nullopt;
  } else if (node.kind != Kind::scalar) {
    refuse(row.name, node, accepted_of(row), errors);
    return std::nullopt;
  } else if (is_of_text(row.unit) && !is_text(node)) {
    refuse(row.name, node, "a text: put it into quotation marks", errors);
    return std::nullopt;
  } else if (row.unit == Unit::on_or_off && !is_switch(node)) {
    refuse(row.name, node, "true or false", errors);
    return std::nullopt;
  } else {
    text = node.text;
  }
  try {
    Settings probe;
    row.set(probe, row.name, *text);
    if (row.name == "listen") server::parse_listen_address(row.name, *text);
  } catch (const Error& error) {
    errors.add(node.line, error.what());
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> text_of(std::string_view name, const SettingNode& node, Errors& errors) {
  if (node.kind == Kind::scalar && is_text(node) && !node.text.empty()) return node.text;
  refuse(name, node,
         node.kind == Kind::scalar ? "a text that is not empty, in quotation marks" : "a text",
         errors);
  return std::nullopt;
}

std::optional<ModeOverride> override_of(const SettingNode& node, Errors& errors) {
  if (node.kind != Kind::mapping) {
    refuse("allowed_override_modes", node,
           "a list of mappings, as in - {response_body_mode: STREAMED}", errors);
    return std::nullopt;
  }
  ModeOverride mode;
  bool good = true;
  for (std::size_t i = 0; i < node.keys.size(); ++i)
    good = set_field(mode, node.keys[i], node.items[i], errors) && good;
  return good ? std::optional(mode) : std::nullopt;
}

}  // namespace extproc::settings_file
