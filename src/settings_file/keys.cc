#include "settings_file/keys.h"

#include <algorithm>

namespace extproc::settings_file {
namespace {

constexpr TlsKey kTlsKeys[] = {
    {"certificate_file", &TlsSettings::certificate_file,
     "The server's certificate, and those between it and its CA (PEM). Read anew when it changes"},
    {"certificate", &TlsSettings::certificate, "The same as text"},
    {"key_file", &TlsSettings::key_file, "Its private key (PEM)"},
    {"key", &TlsSettings::key, "The same as text"},
    {"client_ca_file", &TlsSettings::client_ca_file,
     "Let in only clients with a certificate of these CAs (PEM)"},
    {"client_ca", &TlsSettings::client_ca, "The same as text"},
    {"allowed_sans", nullptr,
     "Of those only clients with one of these names: dns:NAME, uri:URI, spiffe://DOMAIN/"},
    {"crl_file", &TlsSettings::crl_file, "Certificates that those CAs revoked (PEM)"},
    {"crl", &TlsSettings::crl, "The same as text"},
    {"min_version", nullptr, "1.2 or 1.3"},
};

}  // namespace

std::span<const TlsKey> tls_keys() { return kTlsKeys; }

bool same_tls(const TlsSettings& a, const TlsSettings& b) {
  const auto same = [&](const TlsKey& key) {
    return key.member == nullptr || a.*key.member == b.*key.member;
  };
  return std::ranges::all_of(kTlsKeys, same) && a.allowed_sans == b.allowed_sans &&
         a.min_version == b.min_version;
}

bool is_of_process(const server::SettingRow& row) { return row.name.starts_with("log_"); }

std::string_view group_of(const server::SettingRow& row) {
  const std::size_t dot = row.name.find('.');
  return dot == std::string_view::npos ? std::string_view() : row.name.substr(0, dot);
}

std::string_view key_of(const server::SettingRow& row) {
  return row.name.substr(row.name.find('.') + 1);
}

}  // namespace extproc::settings_file
