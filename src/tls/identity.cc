#include "tls/identity.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <span>

#include "extproc/error.h"

namespace extproc::tls {
namespace {

constexpr std::string_view kDns = "dns:";
constexpr std::string_view kUri = "uri:";
constexpr std::string_view kSpiffe = "spiffe://";

std::string_view text_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::string fingerprint_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : std::span(digest).first(size)) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_dns_name(std::string_view name) {
  const auto may_be = [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '.' || c == '_';
  };
  return !name.empty() && !name.starts_with('.') && !name.ends_with('.') &&
         std::ranges::all_of(name, may_be);
}

bool is_uri(std::string_view uri) {
  return !uri.empty() && std::ranges::all_of(uri, [](char c) { return c > ' ' && c < 0x7f; });
}

/// As SPIFFE has it.
bool is_trust_domain(std::string_view domain) {
  const auto may_be = [](char c) {
    return (is_letter_or_digit(c) && (c < 'A' || c > 'Z')) || c == '-' || c == '.' || c == '_';
  };
  return !domain.empty() && std::ranges::all_of(domain, may_be);
}

std::string name_text(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(std::max(size, 0L))};
}

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::ranges::find(all, one) != all.end();
}

}  // namespace

std::string subject_of(X509* certificate) { return name_text(X509_get_subject_name(certificate)); }

std::string issuer_of(X509* certificate) { return name_text(X509_get_issuer_name(certificate)); }

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "a time that cannot be read";
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

std::chrono::sys_seconds time_of(const ASN1_TIME* time) {
  constexpr int kFirstYear = 1900;
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  using namespace std::chrono;
  return sys_days(year(parts.tm_year + kFirstYear) / (parts.tm_mon + 1) / parts.tm_mday) +
         hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}

PeerCertificate describe(X509* certificate) {
  PeerCertificate peer;
  peer.subject = subject_of(certificate);
  peer.fingerprint = fingerprint_of(certificate);
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) peer.dns_names.emplace_back(text_of(name->d.dNSName));
    if (name->type == GEN_URI) peer.uris.emplace_back(text_of(name->d.uniformResourceIdentifier));
  }
  return peer;
}

// One that no certificate can have would keep everybody out.
AllowedNames::AllowedNames(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    const std::string_view view = text;
    if (view.starts_with(kDns) && is_dns_name(view.substr(kDns.size()))) {
      dns_names_.push_back(lower(view.substr(kDns.size())));
    } else if (view.starts_with(kUri) && is_uri(view.substr(kUri.size()))) {
      uris_.emplace_back(view.substr(kUri.size()));
    } else if (view.starts_with(kSpiffe) && view.ends_with('/') &&
               is_trust_domain(view.substr(kSpiffe.size(), view.size() - kSpiffe.size() - 1))) {
      trust_domains_.push_back(text);
    } else {
      throw Error(
          "\"" + text +
          "\" is no name that a client's certificate can be allowed by: write dns:NAME "
          "(one name, no wildcard), uri:URI, or spiffe://DOMAIN/ in lower case for all of a "
          "trust domain (uri:spiffe://... for one of its identities); several by "
          "repeating the flag");
    }
  }
}

bool AllowedNames::allows(const PeerCertificate& peer) const {
  if (dns_names_.empty() && uris_.empty() && trust_domains_.empty()) return true;
  const auto has_name = [&](const std::string& name) { return contains(dns_names_, lower(name)); };
  if (std::ranges::any_of(peer.dns_names, has_name)) return true;
  const auto has_uri = [&](const std::string& uri) { return contains(uris_, uri); };
  if (std::ranges::any_of(peer.uris, has_uri)) return true;
  // An identity of SPIFFE has one URI, so that nobody is two.
  if (peer.uris.size() != 1) return false;
  const std::string& identity = peer.uris.front();
  return std::ranges::any_of(
      trust_domains_, [&](const std::string& domain) { return identity.starts_with(domain); });
}

std::string names_of(const PeerCertificate& peer, std::size_t most) {
  std::string text;
  const auto add = [&](std::string_view kind, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (text.size() > most) return;
      text += (text.empty() ? "" : ", ") + std::string(kind) + name;
    }
  };
  add(kUri, peer.uris);
  add(kDns, peer.dns_names);
  if (text.size() > most) text = text.substr(0, most) + "...";
  return text.empty() ? "none" : text;
}

}  // namespace extproc::tls
