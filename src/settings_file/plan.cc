#include "settings_file/plan.h"

#include <utility>

#include "server/setting_sources.h"

namespace extproc::settings_file {
namespace {

/// As the admin service tells it.
std::string told_source(const std::string& source) {
  if (source.starts_with("--")) return "flag " + source;
  return source.starts_with("without --") ? "the command, " + source : "file " + source;
}

}  // namespace

void GivenSettings::put(Given given) {
  const std::string_view name = given.row->name;
  if (name == "port") by_name_.erase("listen");
  if (name == "listen") by_name_.erase("port");
  by_name_.insert_or_assign(name, std::move(given));
}

void GivenSettings::put(const GivenSettings& others) {
  for (const auto& [name, given] : others.by_name_) put(given);
}

void GivenSettings::copy(std::string_view name, const GivenSettings& other) {
  const Given* given = other.find(name);
  if (given != nullptr) {
    by_name_.insert_or_assign(given->row->name, *given);
  } else {
    std::erase_if(by_name_, [name](const auto& each) { return each.first == name; });
  }
}

const Given* GivenSettings::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

Settings GivenSettings::settings() const {
  Settings settings;
  for (const auto& [name, given] : by_name_) {
    given.row->set(settings, given.source + ": " + std::string(name), given.text);
    server::note_source(settings, *given.row, told_source(given.source));
  }
  return settings;
}

void Common::put(const Common& stronger) {
  given.put(stronger.given);
  if (stronger.tls) tls = stronger.tls;
  if (stronger.overrides) overrides = stronger.overrides;
}

Settings Common::settings() const {
  Settings settings = given.settings();
  if (overrides) settings.filter.allowed_override_modes = overrides->modes;
  return settings;
}

OwnSettings own_settings(const std::string& file, const PlannedProcessor& processor) {
  detail::SettingNode node = processor.own;
  if (node.kind != detail::SettingNode::Kind::mapping)
    node = {.kind = detail::SettingNode::Kind::mapping, .line = processor.line};
  return {std::move(node), file, "settings"};
}

}  // namespace extproc::settings_file
