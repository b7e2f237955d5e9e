#include "server/setting_sources.h"

#include <memory>
#include <utility>

namespace extproc {

void detail::SettingSources::note(const server::SettingRow& row, const Settings& settings,
                                  std::string source) {
  noted_[row.name] = {std::move(source), row.show(settings)};
}

void detail::SettingSources::note(std::string_view name, std::string source) {
  noted_[name] = {std::move(source), {}};
}

std::string_view detail::SettingSources::find(std::string_view name) const {
  const auto found = noted_.find(name);
  return found == noted_.end() ? std::string_view() : found->second.source;
}

std::string_view detail::SettingSources::find(const server::SettingRow& row,
                                              const Settings& settings) const {
  const auto found = noted_.find(row.name);
  if (found == noted_.end() || found->second.shown != row.show(settings)) return {};
  return found->second.source;
}

namespace server {

namespace {

/// Of its own: copies of the settings share what was noted before.
std::shared_ptr<detail::SettingSources> copy_of_sources(const Settings& settings) {
  if (settings.sources == nullptr) return std::make_shared<detail::SettingSources>();
  return std::make_shared<detail::SettingSources>(*settings.sources);
}

}  // namespace

void note_source(Settings& settings, const SettingRow& row, std::string source) {
  auto sources = copy_of_sources(settings);
  sources->note(row, settings, std::move(source));
  settings.sources = std::move(sources);
}

std::string source_of(const Settings& settings, const SettingRow& row) {
  const auto noted =
      settings.sources == nullptr ? std::string_view() : settings.sources->find(row, settings);
  if (!noted.empty()) return std::string(noted);
  const bool changed = row.is_set(settings) || row.show(settings) != row.show(Settings{});
  return changed ? "program" : "default";
}

void note_source(Settings& settings, std::string_view name, std::string source) {
  auto sources = copy_of_sources(settings);
  sources->note(name, std::move(source));
  settings.sources = std::move(sources);
}

std::string source_of(const Settings& settings, std::string_view name, bool is_set) {
  if (!is_set) return "default";
  const auto noted =
      settings.sources == nullptr ? std::string_view() : settings.sources->find(name);
  return noted.empty() ? "program" : std::string(noted);
}

void note_no_traces(Settings& settings, std::shared_ptr<const UntoldReason> why) {
  if (settings.sources != nullptr && settings.sources->no_traces != nullptr) return;
  auto sources = copy_of_sources(settings);
  sources->no_traces = std::move(why);
  settings.sources = std::move(sources);
}

std::string take_no_traces(const Settings& settings) {
  if (settings.tracing || settings.sources == nullptr) return {};
  const auto& why = settings.sources->no_traces;
  return why == nullptr ? std::string() : why->take();
}

}  // namespace server
}  // namespace extproc
