#include <gmock/gmock.h>

#include <optional>

#include "check_base.h"
#include "envoy/check/check.h"

namespace extproc::envoy_config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::optional<bool> kUnknown = std::nullopt;

std::vector<Finding> check_with(const std::string& text, std::optional<bool> tls) {
  return check(text, {all_needs()}, {.tls = tls});
}

std::vector<std::string> rules_with(const std::string& text, std::optional<bool> tls) {
  std::vector<std::string> rules;
  for (const Finding& finding : check_with(text, tls)) rules.push_back(finding.rule);
  std::ranges::sort(rules);
  return rules;
}

/// The sound configuration with more in its cluster, as lines of it.
std::string with_cluster_lines(const std::string& more) {
  return exchange(std::string(kSound), "      health_checks:", more + "      health_checks:");
}

const std::string kType = "\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.";

/// A cluster that nothing is wrong with, but for what a test exchanges.
constexpr std::string_view kTls = R"(      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
          sni: guard.example
          common_tls_context:
            tls_params: { tls_maximum_protocol_version: TLSv1_3 }
            alpn_protocols: [h2]
            tls_certificate_sds_secret_configs: [{ name: own, sds_config: {} }]
            combined_validation_context:
              default_validation_context:
                match_typed_subject_alt_names: [{ san_type: DNS, matcher: { exact: guard.example } }]
              validation_context_sds_secret_config: { name: ca, sds_config: {} }
)";

std::string with_tls() { return with_cluster_lines(std::string(kTls)); }

constexpr std::string_view kCombined =
    R"(            combined_validation_context:
              default_validation_context:
                match_typed_subject_alt_names: [{ san_type: DNS, matcher: { exact: guard.example } }]
              validation_context_sds_secret_config: { name: ca, sds_config: {} }
)";

std::string with_validation(const std::string& lines) {
  return exchange(with_tls(), kCombined, lines);
}

TEST(CheckTls, WhatTheServerSpeaksIsWhatTheClusterMustSpeak) {
  const std::string clear(kSound);
  EXPECT_THAT(rules_with(clear, kUnknown), IsEmpty());
  EXPECT_THAT(rules_with(clear, false), IsEmpty());
  EXPECT_THAT(rules_with(with_tls(), true), IsEmpty());

  const auto missing = check_with(clear, true);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].rule, "tls");
  EXPECT_EQ(missing[0].severity, kError);
  EXPECT_EQ(missing[0].line, line_of(clear, "- name: guard\n      typed_ext"));
  EXPECT_THAT(missing[0].mend, HasSubstr("transport_socket"));

  const int line = line_of(with_tls(), "      transport_socket:");
  for (const auto& [tls, severity] :
       {std::pair{std::optional(false), kError}, {kUnknown, kWarning}}) {
    const auto found = check_with(with_tls(), tls);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].rule, "tls");
    EXPECT_EQ(found[0].severity, severity);
    EXPECT_EQ(found[0].line, line);
    EXPECT_THAT(found[0].mend, HasSubstr("--tls-cert"));
  }
}

TEST(CheckTls, ItIsNamedWhereverItIsSaid) {
  const std::string context = "typed_config: { " + kType + "tls.v3.UpstreamTlsContext";
  const std::pair<const char*, std::string> bites[] = {
      {"by its type", "transport_socket: { name: a, " + context + " } }"},
      {"another order", "transport_socket: { " + context + ", sni: a }, name: a }"},
      {"by its name", "transport_socket: { name: envoy.transport_sockets.tls }"},
      {"in JSON's names",
       "transportSocket: { name: a, typedConfig: { " + kType + "tls.v3.UpstreamTlsContext } }"},
      {"within another", "transport_socket: { name: a, typed_config: { " + kType +
                             "tap.v3.Tap, transport_socket: { name: b, " + context + " } } } }"},
      {"QUIC", "transport_socket: { name: a, typed_config: { " + kType +
                   "quic.v3.QuicUpstreamTransport } }"}};
  for (const auto& [name, socket] : bites) {
    const std::string text = with_cluster_lines("      " + socket + "\n");
    const auto findings = check_with(text, false);
    ASSERT_EQ(findings.size(), 1U) << name;
    EXPECT_EQ(findings[0].rule, "tls") << name;
    EXPECT_EQ(findings[0].severity, kError) << name;
    EXPECT_EQ(findings[0].line, line_of(text, "health_checks:") - 1) << name;
    // That one is TLS, but not as the server speaks it.
    const auto with = check_with(text, true);
    ASSERT_FALSE(with.empty()) << name;
    EXPECT_EQ(std::ranges::count(with, "tls", &Finding::rule), name == std::string("QUIC") ? 1 : 0)
        << name;
    EXPECT_EQ(std::ranges::count(check_with(text, kUnknown), "tls", &Finding::rule), 1) << name;
  }
}

TEST(CheckTls, WhatEncryptsNothingOrIsOfAMesh) {
  const std::string plain =
      "transport_socket: { name: a, typed_config: { " + kType + "raw_buffer.v3.RawBuffer } }";
  const std::string text = with_cluster_lines("      " + plain + "\n");
  EXPECT_THAT(rules_with(text, false), IsEmpty());
  EXPECT_THAT(rules_with(text, kUnknown), IsEmpty());
  EXPECT_THAT(rules_with(text, true), ElementsAre("tls"));
  // A proxy of the mesh beside the processor ends it.
  const std::string mesh =
      exchange(with_tls(), "alpn_protocols: [h2]", "alpn_protocols: [istio, h2]");
  for (const std::optional<bool> tls : {kUnknown, std::optional(false), std::optional(true)})
    EXPECT_THAT(rules_with(mesh, tls), IsEmpty());
}

TEST(CheckTls, EndpointsThatMatch) {
  const std::string matches =
      "      transport_socket_matches: [ { name: m, transport_socket: { name: a, typed_config: { " +
      kType +
      "tls.v3.UpstreamTlsContext, common_tls_context: { alpn_protocols: [h2], "
      "validation_context_sds_secret_config: { name: ca }, tls_params: { "
      "tls_maximum_protocol_version: TLSv1_3 } } } } } ]\n";
  const std::string text = with_cluster_lines(matches);
  EXPECT_THAT(rules_with(text, true), IsEmpty());
  for (const std::optional<bool> tls : {kUnknown, std::optional(false)}) {
    const auto findings = check_with(text, tls);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].severity, kWarning);
    EXPECT_THAT(findings[0].what, HasSubstr("endpoints that match"));
  }
}

TEST(CheckTls, WhomEnvoyTrusts) {
  const char* ca = "trusted_ca: { inline_string: a }";
  const std::string names =
      "match_typed_subject_alt_names: [{ san_type: DNS, matcher: { exact: a } }]";
  const auto own = [](const std::string& fields) {
    return "            validation_context: { " + fields + " }\n";
  };
  const auto combined = [](const std::string& fields) {
    return "            combined_validation_context: { default_validation_context: { " + fields +
           " }, validation_context_sds_secret_config: { name: ca } }\n";
  };
  const std::string sds = "            validation_context_sds_secret_config: { name: ca }\n";
  const std::pair<std::string, const char*> cases[] = {
      {"", "tls-any-server"},
      {own(names), "tls-any-server"},
      // Envoy takes it, and verifies nothing.
      {own("system_root_certs: {}, " + names), "tls-any-server"},
      {own(ca + (", trust_chain_verification: ACCEPT_UNTRUSTED, " + names)), "tls-any-server"},
      {combined("trust_chain_verification: ACCEPT_UNTRUSTED, " + names), "tls-any-server"},
      {own(ca), "tls-any-name"},
      {combined(""), "tls-any-name"},
      {own(ca + (", " + names)), ""},
      {own("verify_certificate_spki: [a]"), ""},
      {own("verify_certificate_hash: [a]"), ""},
      {combined(names), ""},
      {combined("matchTypedSubjectAltNames: [{ san_type: DNS, matcher: { exact: a } }]"), ""},
      // What it says of names is not in the text.
      {sds, ""}};
  for (const auto& [lines, rule] : cases) {
    const std::string text = with_validation(lines);
    const auto findings = check_with(text, true);
    if (*rule == '\0') {
      EXPECT_THAT(findings, IsEmpty()) << lines;
      continue;
    }
    ASSERT_EQ(findings.size(), 1U) << lines;
    EXPECT_EQ(findings[0].rule, rule) << lines;
    EXPECT_EQ(findings[0].severity, kWarning) << lines;
    EXPECT_EQ(findings[0].line, line_of(text, "      transport_socket:")) << lines;
    // The same beside what is to be said where nobody knows what the server speaks.
    EXPECT_THAT(rules_with(text, kUnknown), ElementsAre("tls", rule)) << lines;
  }
  const std::string by_sni =
      exchange(with_validation(own(ca)), "sni: guard.example",
               "sni: guard.example\n          auto_sni_san_validation: true");
  EXPECT_THAT(rules_with(by_sni, true), IsEmpty());
}

TEST(CheckTls, Http2IsAskedForInStreamsAndHealthChecks) {
  const char* asked = "            alpn_protocols: [h2]\n";
  const std::string without = exchange(with_tls(), asked, "");
  const std::string other = exchange(with_tls(), asked, "            alpn_protocols: [http/1.1]\n");
  const char* health = "- grpc_health_check: {}";
  const auto with_health = [&](const std::string& text, const std::string& protocols) {
    return exchange(
        text, health,
        "- { grpc_health_check: {}, tls_options: { alpn_protocols: " + protocols + " } }");
  };
  const std::pair<std::string, const char*> bites[] = {
      {without, health},
      {other, "alpn_protocols: [http/1.1]"},
      {with_health(with_tls(), "[http/1.1]"), "- { grpc_health_check"},
      {with_health(with_tls(), "http/1.1"), "- { grpc_health_check"}};
  for (const auto& [text, line] : bites) {
    for (const auto& [tls, severity] :
         {std::pair{std::optional(true), kError}, {kUnknown, kWarning}}) {
      auto findings = check_with(text, tls);
      std::erase_if(findings, [](const Finding& one) { return one.rule == "tls"; });
      ASSERT_EQ(findings.size(), 1U) << line;
      EXPECT_EQ(findings[0].rule, "tls-alpn") << line;
      EXPECT_EQ(findings[0].severity, severity) << line;
      EXPECT_EQ(findings[0].line, line_of(text, line)) << line;
      EXPECT_THAT(findings[0].mend, HasSubstr("[h2]"));
    }
  }
  EXPECT_THAT(rules_with(with_health(without, "[h2]"), true), IsEmpty());
  EXPECT_THAT(rules_with(with_health(with_tls(), "[]"), true), IsEmpty());
  const std::string unchecked =
      exchange(without, "      health_checks:\n        - grpc_health_check: {}\n", "");
  EXPECT_THAT(rules_with(unchecked, true), ElementsAre("no-health-check"));
}

TEST(CheckTls, FilesThatAreReadOnce) {
  const char* by_sds = "tls_certificate_sds_secret_configs: [{ name: own, sds_config: {} }]";
  const auto own = [&](const std::string& pair) {
    return exchange(with_tls(), by_sds, "tls_certificates: [{ " + pair + " }]");
  };
  const std::string files =
      "certificate_chain: { filename: /a.crt }, private_key: { filename: /a.key }";
  const std::string watched = files + ", watched_directory: { path: / }";
  const std::string inlined =
      "certificate_chain: { inline_string: a }, private_key: { inline_string: b }";
  for (const std::string& pair : {files, watched}) {
    const std::string text = own(pair);
    const auto findings = check_with(text, true);
    ASSERT_EQ(findings.size(), 1U) << pair;
    EXPECT_EQ(findings[0].rule, "tls-not-reloaded");
    EXPECT_EQ(findings[0].severity, kWarning);
    EXPECT_EQ(findings[0].line, line_of(text, "tls_certificates:"));
    EXPECT_EQ(findings[0].what.find("watched_directory") != std::string::npos, pair == watched);
  }
  EXPECT_THAT(rules_with(own(inlined), true), IsEmpty());
  const std::string ca = with_validation(
      "            validation_context:\n"
      "              trusted_ca: { filename: /ca.crt }\n"
      "              verify_certificate_spki: [a]\n");
  const auto findings = check_with(ca, true);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].rule, "tls-not-reloaded");
  EXPECT_EQ(findings[0].line, line_of(ca, "trusted_ca:"));
}

TEST(CheckTls, EnvoyAsAClientSpeaksAnOldVersionUnlessItIsToldOtherwise) {
  const char* stated = "            tls_params: { tls_maximum_protocol_version: TLSv1_3 }\n";
  for (const char* other :
       {"", "            tls_params: {}\n",
        "            tls_params: { tls_maximum_protocol_version: TLS_AUTO }\n"}) {
    const auto findings = check_with(exchange(with_tls(), stated, other), true);
    ASSERT_EQ(findings.size(), 1U) << other;
    EXPECT_EQ(findings[0].rule, "tls-version");
    EXPECT_EQ(findings[0].severity, Severity::advice);
  }
  const char* chosen = "            tls_params: { tls_maximum_protocol_version: TLSv1_2 }\n";
  EXPECT_THAT(rules_with(exchange(with_tls(), stated, chosen), true), IsEmpty());
}

TEST(CheckTls, WithoutItNothingElseIsSaidOfIt) {
  const std::string bare =
      with_cluster_lines("      transport_socket: { name: envoy.transport_sockets.tls }\n");
  EXPECT_THAT(rules_with(bare, false), ElementsAre("tls"));
  EXPECT_THAT(rules_with(bare, true), ElementsAre("tls-alpn", "tls-any-server", "tls-version"));
}

}  // namespace
}  // namespace extproc::envoy_config
