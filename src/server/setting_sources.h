#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "extproc/settings.h"
#include "server/settings_table.h"

namespace extproc {
namespace server {

/// What is told once, by whoever asks first.
class UntoldReason {
 public:
  explicit UntoldReason(std::string why) : why_(std::move(why)) {}

  /// Empty when it was taken before.
  std::string take() const { return taken_.exchange(true) ? std::string() : why_; }

 private:
  const std::string why_;
  mutable std::atomic<bool> taken_ = false;
};

}  // namespace server

/// From where the members of Settings are, by the rows of the table of settings.
class detail::SettingSources {
 public:
  /// The row was set from `source`: "flag --port", "environment GRPC_PORT", "file a.yaml:3".
  void note(const server::SettingRow& row, const Settings& settings, std::string source);
  /// The same of what is in no table.
  void note(std::string_view name, std::string source);
  /// Empty where it was not noted.
  std::string_view find(std::string_view name) const;
  /// Empty where the row was not noted, or the settings have been changed since.
  std::string_view find(const server::SettingRow& row, const Settings& settings) const;

  /// Why the environment gives no traces though it asks for some; null where it does not. Copies
  /// share it.
  std::shared_ptr<const server::UntoldReason> no_traces;

 private:
  struct Noted {
    std::string source;
    std::string shown;
  };
  std::map<std::string_view, Noted> noted_;
};

namespace server {

// What is in no table.
inline constexpr std::string_view kAllowedOverrideModes = "filter.allowed_override_modes";
inline constexpr std::string_view kTls = "tls";
inline constexpr std::string_view kTracing = "tracing";

/// For whoever sets one from somewhere: it is known from then on where it is from.
void note_source(Settings& settings, const SettingRow& row, std::string source);
/// As it was noted, else "program" where it is not as it would be by itself, else "default".
std::string source_of(const Settings& settings, const SettingRow& row);
/// The same of what is in no table, by one of the names above.
void note_source(Settings& settings, std::string_view name, std::string source);
std::string source_of(const Settings& settings, std::string_view name, bool is_set);

/// Unless a reason is there.
void note_no_traces(Settings& settings, std::shared_ptr<const UntoldReason> why);
/// Empty where there is none, where a program has set `tracing` since, and when it was taken
/// before.
std::string take_no_traces(const Settings& settings);

}  // namespace server
}  // namespace extproc
