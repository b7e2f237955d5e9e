#include <algorithm>
#include <string>

#include "envoy/check/check_context.h"
#include "envoy/message_reader.h"
#include "envoy/yaml_node.h"

namespace extproc::envoy_config {
namespace {

constexpr const char* kHowToWrite = "`extproc config --format cluster --tls` writes it";

/// A transport socket that encrypts.
struct Encryption {
  /// The field that says so.
  Place where;
  /// Its type, as the socket or one that it wraps has it; empty: none.
  std::string kind;
  /// The typed_config of that type; not defined where only the name tells.
  YAML::Node context{YAML::NodeType::Undefined};

  bool is_tls() const { return kind == "UpstreamTlsContext" || kind == "by its name"; }
};

Encryption encryption(const YAML::Node& socket, Place where) {
  const YAML::Node config = field(socket, "typed_config").value;
  for (const std::string_view type : {"tls.v3.UpstreamTlsContext", "quic.v3.QuicUpstreamTransport",
                                      "starttls.v3.UpstreamStartTlsConfig", "alts.v3.Alts"}) {
    if (has_type(config, type))
      return {where, std::string(type.substr(type.rfind('.') + 1)), config};
  }
  if (text(field(socket, "name").value) == "envoy.transport_sockets.tls")
    return {where, "by its name", config};
  const YAML::Node wrapped = field(config, "transport_socket").value;
  return wrapped.IsDefined() ? encryption(wrapped, where) : Encryption{where, ""};
}

bool has_protocol(const YAML::Node& list, std::string_view protocol) {
  return std::ranges::any_of(items(list),
                             [&](const YAML::Node& one) { return text(one) == protocol; });
}

/// A mesh agrees with a proxy beside the processor on its own protocol.
bool is_of_a_mesh(const Encryption& one) {
  const YAML::Node all = at(one.context, {"common_tls_context", "alpn_protocols"});
  return std::ranges::any_of(
      items(all), [](const YAML::Node& name) { return text(name).starts_with("istio"); });
}

/// What of a certificate's validation is in the text.
struct Validation {
  std::vector<YAML::Node> contexts{};
  /// Where all of it, or a part, comes from elsewhere.
  bool whole_from_sds = false;
  bool part_from_sds = false;

  explicit Validation(const YAML::Node& common) {
    whole_from_sds = !!field(common, "validation_context_sds_secret_config");
    const YAML::Node combined = field(common, "combined_validation_context").value;
    part_from_sds = !!field(combined, "validation_context_sds_secret_config");
    for (const Field& one :
         {field(common, "validation_context"), field(combined, "default_validation_context")}) {
      if (one) contexts.push_back(one.value);
    }
  }

  bool has_any(std::initializer_list<std::string_view> fields) const {
    return std::ranges::any_of(contexts, [&](const YAML::Node& context) {
      return std::ranges::any_of(fields, [&](auto name) { return !!field(context, name); });
    });
  }

  bool accepts_untrusted() const {
    return std::ranges::any_of(contexts, [](const YAML::Node& context) {
      return text(field(context, "trust_chain_verification").value) == "ACCEPT_UNTRUSTED";
    });
  }
};

/// Envoy reads system_root_certs, and trusts every server all the same.
bool trusts_some(const Validation& validation) {
  if (validation.accepts_untrusted()) return false;
  return validation.whole_from_sds || validation.part_from_sds ||
         validation.has_any({"trusted_ca", "ca_certificate_provider_instance",
                             "verify_certificate_hash", "verify_certificate_spki",
                             "custom_validator_config"});
}

bool compares_names(const Validation& validation, const YAML::Node& context) {
  return validation.whole_from_sds || is_true(field(context, "auto_sni_san_validation").value) ||
         validation.has_any({"match_typed_subject_alt_names", "match_subject_alt_names",
                             "verify_certificate_hash", "verify_certificate_spki",
                             "custom_validator_config"});
}

void check_validation(const Encryption& one, const std::string& name, Findings& findings) {
  const Validation validation(field(one.context, "common_tls_context").value);
  if (!trusts_some(validation)) {
    findings.warning(one.where, "tls-any-server",
                     name +
                         " has no validation_context with a trusted_ca: Envoy trusts every server, "
                         "and hands requests to whoever answers at the address",
                     std::string("add combined_validation_context with the CA of the server's "
                                 "certificate; ") +
                         kHowToWrite);
  } else if (!compares_names(validation, one.context)) {
    findings.warning(one.where, "tls-any-name",
                     name +
                         " has no match_typed_subject_alt_names: Envoy trusts every certificate of "
                         "the CA, whoever it is for",
                     std::string("add match_typed_subject_alt_names with the name in the server's "
                                 "certificate; ") +
                         kHowToWrite);
  }
}

/// Where one of the cluster's health checks does not ask for HTTP/2; nowhere when all do. What the
/// pool of connections adds for streams is missing in them.
Place check_without_h2(const YAML::Node& cluster, const YAML::Node& protocols) {
  for (const YAML::Node& check : items(field(cluster, "health_checks").value)) {
    const YAML::Node own = at(check, {"tls_options", "alpn_protocols"});
    if (!has_protocol(items(own).empty() ? protocols : own, "h2")) return place_of(check);
  }
  return {};
}

void check_alpn(const ClusterUnderCheck& checked, const Encryption& one, Severity severity,
                Findings& findings) {
  const Field protocols = field(field(one.context, "common_tls_context").value, "alpn_protocols");
  constexpr const char* kMend = "set alpn_protocols: [h2] in common_tls_context";
  if (!items(protocols.value).empty() && !has_protocol(protocols.value, "h2")) {
    findings.add(severity, place_of(protocols.key), "tls-alpn",
                 checked.name +
                     " has alpn_protocols without h2, which the server refuses: every stream fails",
                 kMend);
  } else if (const Place where = check_without_h2(checked.cluster, protocols.value)) {
    findings.add(severity, where, "tls-alpn",
                 checked.name +
                     " has a health check that does not ask for h2 (alpn_protocols), which the "
                     "server refuses: it never becomes healthy",
                 kMend);
  }
}

bool is_of_a_file(const Field& source) { return !!field(source.value, "filename"); }

void check_reload(const Encryption& one, const std::string& name, Findings& findings) {
  const YAML::Node common = field(one.context, "common_tls_context").value;
  const auto found = [&](const Field& which, const std::string& what, const YAML::Node& beside) {
    const bool is_watched = !!field(beside, "watched_directory");
    findings.warning(
        place_of(which.key), "tls-not-reloaded",
        name + " reads " + what + " when Envoy starts, and never again: a renewed one is not used" +
            (is_watched ? "; watched_directory counts in what comes by SDS alone" : ""),
        "take it by SDS from a file with watched_directory; `extproc config --tls` writes both");
  };
  const Field certificates = field(common, "tls_certificates");
  for (const YAML::Node& certificate : items(certificates.value)) {
    if (!is_of_a_file(field(certificate, "certificate_chain"))) continue;
    found(certificates, "Envoy's certificate", certificate);
    break;
  }
  for (const YAML::Node& context : Validation(common).contexts) {
    const Field ca = field(context, "trusted_ca");
    if (is_of_a_file(ca)) found(ca, "the trusted_ca", context);
  }
}

void check_version(const Encryption& one, const std::string& name, Findings& findings) {
  const YAML::Node most =
      at(one.context, {"common_tls_context", "tls_params", "tls_maximum_protocol_version"});
  if (most.IsDefined() && text(most) != "TLS_AUTO") return;
  findings.advice(one.where, "tls-version",
                  name +
                      " states no tls_maximum_protocol_version: as a client Envoy speaks TLS 1.2 "
                      "at most, and a server with --tls-min-version 1.3 refuses it",
                  "set tls_params: { tls_maximum_protocol_version: TLSv1_3 }");
}

/// Envoy's and the server's differ, or nobody says what the server's is.
void check_fit(const Encryption& one, const std::string& name, std::optional<bool> tls,
               bool of_some, Findings& findings) {
  const std::string speaks =
      name + " speaks TLS (" + one.kind + ")" + (of_some ? " with endpoints that match" : "");
  if (!tls) {
    findings.warning(one.where, "tls",
                     speaks +
                         ", and the server does with --tls-cert and --tls-key alone: without them "
                         "every stream fails",
                     "serve with --tls-cert and --tls-key, and say --tls here; or remove the "
                     "transport_socket, and say --no-tls");
  } else if (!*tls) {
    findings.add(of_some ? Severity::warning : Severity::error, one.where, "tls",
                 speaks + ", and the server speaks clear text: every stream fails",
                 "serve with --tls-cert and --tls-key, or remove the transport_socket");
  } else if (!one.is_tls()) {
    findings.error(
        one.where, "tls",
        name + " speaks " + one.kind + ", and the server TLS over TCP: every stream fails",
        std::string("use envoy.transport_sockets.tls; ") + kHowToWrite);
  }
}

}  // namespace

void check_tls(const ClusterUnderCheck& checked, std::optional<bool> tls, Findings& findings) {
  const auto check_one = [&](const Encryption& one, bool of_some) {
    if (one.kind.empty() || is_of_a_mesh(one)) return;
    check_fit(one, checked.name, tls, of_some, findings);
    if (!tls.value_or(true) || !one.is_tls()) return;
    check_validation(one, checked.name, findings);
    check_alpn(checked, one, tls ? Severity::error : Severity::warning, findings);
    check_reload(one, checked.name, findings);
    check_version(one, checked.name, findings);
  };
  bool encrypts = false;
  if (const Field socket = field(checked.cluster, "transport_socket")) {
    const Encryption one = encryption(socket.value, place_of(socket.key));
    encrypts = !one.kind.empty();
    check_one(one, false);
  }
  for (const YAML::Node& match : items(field(checked.cluster, "transport_socket_matches").value)) {
    const Field socket = field(match, "transport_socket");
    if (!socket) continue;
    const Encryption one = encryption(socket.value, place_of(socket.key));
    encrypts = encrypts || !one.kind.empty();
    check_one(one, true);
  }
  if (encrypts || !tls.value_or(false)) return;
  findings.error(checked.where, "tls",
                 checked.name + " speaks clear text, and the server TLS: every stream fails",
                 std::string("add a transport_socket; ") + kHowToWrite);
}

}  // namespace extproc::envoy_config
