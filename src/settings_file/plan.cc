#include "settings_file/plan.h"

#include <algorithm>
#include <utility>

#include "server/setting_sources.h"

namespace extproc::settings_file {
namespace {

/// As the admin service tells it.
std::string told_source(const std::string& source) {
  if (source.starts_with("--")) return "flag " + source;
  return source.starts_with("without --") ? "the command, " + source : "file " + source;
}

/// What is given as a file, or as text.
void keep_pair(TlsSettings& to, const TlsSettings& weaker, std::string TlsSettings::*file,
               std::string TlsSettings::*text) {
  if (!(to.*file).empty() || !(to.*text).empty()) return;
  to.*file = weaker.*file;
  to.*text = weaker.*text;
}

/// The certificate and its key are of the stronger one; what it does not say of clients stays, so
/// that no certificate of theirs goes unasked for.
void put_tls(std::optional<GivenTls>& tls, const GivenTls& stronger) {
  GivenTls merged = stronger;
  if (tls) {
    TlsSettings& to = merged.settings;
    const TlsSettings& weaker = tls->settings;
    keep_pair(to, weaker, &TlsSettings::client_ca_file, &TlsSettings::client_ca);
    keep_pair(to, weaker, &TlsSettings::crl_file, &TlsSettings::crl);
    if (to.allowed_sans.empty()) to.allowed_sans = weaker.allowed_sans;
    to.min_version = std::max(to.min_version, weaker.min_version);
  }
  tls = std::move(merged);
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

const Given* GivenSettings::take_named(std::string_view& text) const {
  const auto take = [&text](const std::string& name) {
    if (name.empty() || !text.starts_with(name + " ")) return false;
    text.remove_prefix(name.size());
    return true;
  };
  for (const auto& [name, given] : by_name_) {
    if (take("Settings::" + std::string(name)) || take(server::flag_of(*given.row))) return &given;
  }
  return nullptr;
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
  if (stronger.tls) put_tls(tls, *stronger.tls);
  if (stronger.overrides) overrides = stronger.overrides;
}

Settings Common::settings() const {
  Settings settings = given.settings();
  if (overrides) {
    settings.filter.allowed_override_modes = overrides->modes;
    server::note_source(settings, server::kAllowedOverrideModes, told_source(overrides->source));
  }
  if (tls) server::note_source(settings, server::kTls, told_source(tls->source));
  return settings;
}

OwnSettings own_settings(const std::string& file, const PlannedProcessor& processor) {
  detail::SettingNode node = processor.own;
  if (node.kind != detail::SettingNode::Kind::mapping)
    node = {.kind = detail::SettingNode::Kind::mapping, .line = processor.line};
  return {std::move(node), file, "settings"};
}

}  // namespace extproc::settings_file
