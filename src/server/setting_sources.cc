#include "server/setting_sources.h"

#include <memory>
#include <utility>

namespace extproc {

void detail::SettingSources::note(const server::SettingRow& row, const Settings& settings,
                                  std::string source) {
  noted_[row.name] = {std::move(source), row.show(settings)};
}

std::string_view detail::SettingSources::find(const server::SettingRow& row,
                                              const Settings& settings) const {
  const auto found = noted_.find(row.name);
  if (found == noted_.end() || found->second.shown != row.show(settings)) return {};
  return found->second.source;
}

namespace server {

void note_source(Settings& settings, const SettingRow& row, std::string source) {
  // Copies of the settings share what was noted before.
  auto sources = settings.sources == nullptr
                     ? std::make_shared<detail::SettingSources>()
                     : std::make_shared<detail::SettingSources>(*settings.sources);
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

}  // namespace server
}  // namespace extproc
