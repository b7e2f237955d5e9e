#pragma once

#include <span>
#include <string>
#include <string_view>

#include "extproc/tls.h"
#include "server/settings_table.h"

namespace extproc::settings_file {

/// A key of `tls`, named as in TlsSettings.
struct TlsKey {
  std::string_view name;
  /// Null of what is no text: allowed_sans, min_version.
  std::string TlsSettings::*member;
  std::string_view help;
};
std::span<const TlsKey> tls_keys();

/// Names the same, with the same for clients.
bool same_tls(const TlsSettings& a, const TlsSettings& b);

/// What is of the process, and so stands at the top alone.
bool is_of_process(const server::SettingRow& row);

/// "limits" of "limits.connections"; empty where there is none.
std::string_view group_of(const server::SettingRow& row);
/// The name in its group.
std::string_view key_of(const server::SettingRow& row);

inline constexpr std::string_view kGroups[] = {"filter", "limits"};
/// Besides those of the table; which of them each place has, the reader and the schema know.
inline constexpr std::string_view kTls = "tls";
inline constexpr std::string_view kServices = "services";
inline constexpr std::string_view kProcessors = "processors";
inline constexpr std::string_view kModulePath = "module_path";
inline constexpr std::string_view kOverrides = "allowed_override_modes";
inline constexpr std::string_view kName = "name";
inline constexpr std::string_view kOwn = "settings";

}  // namespace extproc::settings_file
