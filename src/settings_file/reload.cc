// What Running does when its file changes.
#include <algorithm>
#include <sstream>
#include <utility>

#include "base/access.h"
#include "base/what_was_thrown.h"
#include "extproc/error.h"
#include "server/configuration.h"
#include "server/listen_address.h"
#include "server/setting_sources.h"
#include "setting_text/place.h"
#include "settings_file/errors.h"
#include "settings_file/keys.h"
#include "settings_file/running.h"

namespace extproc::settings_file {
namespace {

using detail::SettingNode;

/// What is told of one reload.
class Told {
 public:
  explicit Told(const Logger& logger) : logger_(logger) {}

  void changed(const std::string& text) { tell(LogLevel::info, text); }
  /// What counts after a restart alone.
  void fixed(const std::string& text) {
    tell(LogLevel::warning,
         text + ", which cannot change while it runs: it counts after a restart");
  }
  /// Text of several lines, perhaps.
  void failed(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) tell(LogLevel::error, line);
  }
  bool anything() const { return anything_; }

 private:
  void tell(LogLevel level, const std::string& text) {
    anything_ = true;
    logger_.log(level, LineKind::server, text);
  }

  const Logger& logger_;
  bool anything_ = false;
};

bool same_own(const SettingNode& a, const SettingNode& b) {
  const auto empty = [](const SettingNode& node) { return node.items.empty(); };
  return (empty(a) && empty(b)) || a.same_as(b);
}

bool same_processors(const PlannedService& a, const PlannedService& b) {
  return std::ranges::equal(a.processors, b.processors, {}, &PlannedProcessor::name,
                            &PlannedProcessor::name);
}

bool same_given_tls(const std::optional<GivenTls>& a, const std::optional<GivenTls>& b) {
  if (!a || !b) return !a && !b;
  return settings_file::same_tls(a->settings, b->settings);
}

std::string address_of(const PlannedService& service) {
  return server::to_string(
      server::resolve(Settings::from_environment(service.common.settings()), std::nullopt).address);
}

/// Of a service that runs, and what the file says of it now; both by their place.
struct Pair {
  std::size_t running;
  std::size_t next;
};

/// Those of one address and the same processors; then, of what is left, those whose processors no
/// other has.
std::vector<Pair> pairs_of(const std::vector<const PlannedService*>& running,
                           const std::vector<PlannedService>& next) {
  std::vector<Pair> pairs;
  std::vector<bool> used(running.size());
  std::vector<bool> taken(next.size());
  const auto put = [&](std::size_t i, std::size_t j) {
    pairs.push_back({i, j});
    used[i] = taken[j] = true;
  };
  for (std::size_t i = 0; i < running.size(); ++i) {
    for (std::size_t j = 0; j < next.size() && !used[i]; ++j) {
      if (!taken[j] && same_processors(*running[i], next[j]) &&
          address_of(*running[i]) == address_of(next[j]))
        put(i, j);
    }
  }
  for (std::size_t i = 0; i < running.size(); ++i) {
    if (used[i]) continue;
    std::vector<std::size_t> same;
    std::size_t rivals = 0;
    for (std::size_t j = 0; j < next.size(); ++j)
      if (!taken[j] && same_processors(*running[i], next[j])) same.push_back(j);
    for (std::size_t k = 0; k < running.size(); ++k)
      if (!used[k] && same_processors(*running[i], *running[k])) ++rivals;
    if (same.size() == 1 && rivals == 1) put(i, same.front());
  }
  std::ranges::sort(pairs, {}, &Pair::running);
  return pairs;
}

std::vector<ModeOverride> modes_of(const Common& common) {
  return common.overrides ? common.overrides->modes : std::vector<ModeOverride>{};
}

/// As it is given, or by default.
std::string text_of(const Common& common, const server::SettingRow& row) {
  const Given* given = common.given.find(row.name);
  return given != nullptr ? "\"" + given->text + "\"" : "at its default";
}

/// Its place, where it is given.
std::string place_of(const Common& common, const server::SettingRow& row, const std::string& file) {
  const Given* given = common.given.find(row.name);
  return (given != nullptr ? given->source : file) + ": " + std::string(row.name);
}

/// Can be told to change while it runs.
bool changes(const server::SettingRow& row) {
  return server::is_limit(row) || row.name == "log_level";
}

/// Has processors take what is theirs, all of them or none.
class ProcessorReload {
 public:
  ProcessorReload(const std::string& file, Told& told) : file_(file), told_(told) {}

  /// False where it refuses.
  bool take(const Service& service, PlannedProcessor& running, const PlannedProcessor& next) {
    if (same_own(running.own, next.own)) return true;
    const std::string where =
        setting_text::place(file_, next.own.line > 0 ? next.own.line : next.line);
    const auto& dispatcher = detail::Access::dispatcher(service);
    if (!dispatcher->reloads()) {
      told_.fixed(where + ": settings of " + next.name + " are others");
      return true;
    }
    const OwnSettings own = own_settings(file_, next);
    if (!succeeds(where, [&] { dispatcher->reload(own); })) return false;
    taken_.push_back({dispatcher.get(), &running, &next});
    if (!succeeds(where, [&] { own.check_all_read(); })) return false;
    told_.changed(where + ": " + next.name + " has taken its settings");
    return true;
  }

  /// Those that have taken theirs get what they had.
  void undo() {
    for (auto taken = taken_.rbegin(); taken != taken_.rend(); ++taken) {
      const PlannedProcessor& before = *taken->running;
      succeeds(before.name + " could not go back to the settings that it had",
               [&] { taken->processor->reload(own_settings(file_, before)); });
    }
  }
  void keep() {
    for (const Taken& taken : taken_) *taken.running = *taken.next;
  }

 private:
  struct Taken {
    const detail::Dispatcher* processor;
    PlannedProcessor* running;
    const PlannedProcessor* next;
  };

  template <class Step>
  bool succeeds(const std::string& where, Step step) {
    try {
      step();
      return true;
    } catch (...) {
      const std::string what = what_was_thrown();
      told_.failed(what.starts_with(file_ + ":") ? what : where + ": " + what);
    }
    return false;
  }

  const std::string& file_;
  Told& told_;
  std::vector<Taken> taken_;
};

/// Of the log. What an operator has set since stays, where the file says what it said.
void change_level(const std::string& file, const Common& running, const Common& next,
                  Server& server, Told& told) {
  const server::SettingRow& row = server::setting_row("log_level");
  if (text_of(running, row) == text_of(next, row)) return;
  const Settings after = Settings::from_environment(next.settings());
  told.changed(place_of(next, row, file) + " is " + text_of(next, row) + " now, and was " +
               text_of(running, row));
  detail::Access::set_log_level(server, after.log_level.value_or(LogLevel::info),
                                server::source_of(after, row));
}

void change_running(const std::string& file, const Common& running, const Common& next,
                    Server& server, Told& told) {
  const Settings before = running.settings();
  const Settings after = next.settings();
  bool any = false;
  for (const server::SettingRow& row : server::setting_rows()) {
    if (!server::is_limit(row) || row.value(before) == row.value(after)) continue;
    any = true;
    told.changed(place_of(next, row, file) + " is " + text_of(next, row) + " now, and was " +
                 text_of(running, row));
  }
  if (any) server.set_limits(after.limits);
  change_level(file, running, next, server, told);
  detail::Access::take_sources(server, after);
}

void tell_fixed(const std::string& file, const Common& running, const Common& next, Told& told) {
  for (const server::SettingRow& row : server::setting_rows()) {
    if (changes(row) || text_of(running, row) == text_of(next, row)) continue;
    told.fixed(place_of(next, row, file) + " is " + text_of(next, row) + ", and " +
               text_of(running, row) + " in what runs");
  }
  if (!same_given_tls(running.tls, next.tls))
    told.fixed((next.tls ? next.tls->source : file) + ": tls names others");
  if (modes_of(running) != modes_of(next)) {
    told.fixed((next.overrides ? next.overrides->source : file) +
               ": filter.allowed_override_modes are others");
  }
}

}  // namespace

void Running::reload(const server::Servers& servers, const Logger& logger) {
  Told told(logger);
  const auto give_up = [&](const std::string& why) {
    told.failed(why);
    told.failed(source_.path + " is not taken: what was there counts on");
  };
  std::vector<std::string> module_path;
  std::vector<PlannedService> next;
  try {
    next = read(module_path);
  } catch (const Error& error) {
    return give_up(error.what());
  }
  ProcessorReload processors(source_.path, told);
  std::vector<const PlannedService*> running;
  running.reserve(made_.size());
  for (const Made& made : made_) running.push_back(&made.plan);
  const std::vector<Pair> same = pairs_of(running, next);
  for (const auto& [i, with] : same) {
    for (std::size_t j = 0; j < next[with].processors.size(); ++j) {
      if (processors.take(made_[i].processors[j], made_[i].plan.processors[j],
                          next[with].processors[j]))
        continue;
      processors.undo();
      return give_up(next[with].processors[j].name + " refuses its settings");
    }
  }
  const std::lock_guard lock(mutex_);
  processors.keep();
  for (const auto& [i, with] : same) {
    Common& common = made_[i].plan.common;
    change_running(source_.path, common, next[with].common, *servers[i], told);
    tell_fixed(source_.path, common, next[with].common, told);
    for (const server::SettingRow& row : server::setting_rows()) {
      if (changes(row)) common.given.copy(row.name, next[with].common.given);
    }
  }
  if (same.size() != made_.size() || made_.size() != next.size())
    told.fixed(source_.path + ": services, or their processors, are others");
  if (module_path != module_path_) told.fixed(source_.path + ": module_path is another");
  if (!told.anything()) told.changed(source_.path + " was read anew: nothing has changed");
}

}  // namespace extproc::settings_file
