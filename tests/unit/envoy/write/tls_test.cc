#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include "envoy/check/check.h"
#include "envoy/write/documents.h"
#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const server::TcpAddress kNamed{"guard.example", 50051};
const server::TcpAddress kLoopback{"127.0.0.1", 50051};

ProcessorTls mutual() {
  return {.ca = "/tls/ca.crt", .certificate = "/tls/own/tls.crt", .key = "/tls/own/tls.key"};
}

ProcessorTls of_server() { return {.ca = "/tls/ca.crt"}; }

DocumentOptions with(ProcessorTls tls) {
  DocumentOptions options;
  options.tls = std::move(tls);
  return options;
}

Processor guard_at(Endpoint address = kNamed) {
  return {{.name = "Guard", .handled = {Phase::request_headers}}, "guard", std::move(address)};
}

YAML::Node socket_of(const ProcessorTls& tls, const Endpoint& address = kNamed) {
  const std::string text = write(Format::cluster, {guard_at(address)}, with(tls));
  return YAML::Load(text)[0]["transport_socket"];
}

YAML::Node context_of(const ProcessorTls& tls, const Endpoint& address = kNamed) {
  return socket_of(tls, address)["typed_config"];
}

TEST(WriteTls, ClearTextUnlessItIsAskedFor) {
  for (const Format format :
       {Format::cluster, Format::full, Format::istio, Format::envoy_gateway}) {
    const std::string text = write(format, {guard_at()}, {});
    for (const char* word : {"transport_socket", "tls", "node:"})
      EXPECT_THAT(text, Not(HasSubstr(word)));
  }
}

TEST(WriteTls, TheSocketOfACluster) {
  EXPECT_EQ(socket_of(mutual())["name"].Scalar(), "envoy.transport_sockets.tls");
  const YAML::Node context = context_of(mutual());
  EXPECT_EQ(context["sni"].Scalar(), "guard.example");
  const YAML::Node common = context["common_tls_context"];
  EXPECT_EQ(common["alpn_protocols"].size(), 1U);
  EXPECT_EQ(common["alpn_protocols"][0].Scalar(), "h2");
  EXPECT_EQ(common["tls_params"]["tls_maximum_protocol_version"].Scalar(), "TLSv1_3");
  const auto expect_secret = [](const YAML::Node& secret, const std::string& name) {
    EXPECT_EQ(secret["name"].Scalar(), name);
    EXPECT_EQ(secret["sds_config"]["resource_api_version"].Scalar(), "V3");
    const YAML::Node source = secret["sds_config"]["path_config_source"];
    EXPECT_EQ(source["path"].Scalar(), "/etc/envoy/sds/" + name + ".yaml");
    EXPECT_EQ(source["watched_directory"]["path"].Scalar(), "/etc/envoy/sds");
  };
  ASSERT_EQ(common["tls_certificate_sds_secret_configs"].size(), 1U);
  expect_secret(common["tls_certificate_sds_secret_configs"][0], "extproc-certificate");
  const YAML::Node validation = common["combined_validation_context"];
  expect_secret(validation["validation_context_sds_secret_config"], "extproc-ca");
  const YAML::Node names =
      validation["default_validation_context"]["match_typed_subject_alt_names"];
  ASSERT_EQ(names.size(), 1U);
  EXPECT_EQ(names[0]["san_type"].Scalar(), "DNS");
  EXPECT_EQ(names[0]["matcher"]["exact"].Scalar(), "guard.example");

  EXPECT_FALSE(context_of(of_server())["common_tls_context"]["tls_certificate_sds_secret_configs"]);
}

TEST(WriteTls, TheServersName) {
  const auto name_of = [](const YAML::Node& context) {
    const YAML::Node name =
        context["common_tls_context"]["combined_validation_context"]["default_validation_context"]
               ["match_typed_subject_alt_names"][0];
    return name["san_type"].Scalar() + " " + name["matcher"]["exact"].Scalar() + " " +
           (context["sni"] ? context["sni"].Scalar() : "none");
  };
  EXPECT_EQ(name_of(context_of(of_server(), kLoopback)), "IP_ADDRESS 127.0.0.1 none");
  EXPECT_EQ(name_of(context_of(of_server(), server::TcpAddress{"::1", 1})), "IP_ADDRESS ::1 none");
  ProcessorTls named = of_server();
  named.server_name = "other.example";
  EXPECT_EQ(name_of(context_of(named)), "DNS other.example other.example");
  EXPECT_EQ(name_of(context_of(named, kLoopback)), "DNS other.example other.example");
  // Each its own.
  const YAML::Node two = YAML::Load(
      write(Format::cluster,
            {guard_at(),
             {{.name = "B", .handled = {Phase::request_headers}}, "b", server::TcpAddress{"b", 1}}},
            with(of_server())));
  EXPECT_EQ(two[0]["transport_socket"]["typed_config"]["sni"].Scalar(), "guard.example");
  EXPECT_EQ(two[1]["transport_socket"]["typed_config"]["sni"].Scalar(), "b");
}

TEST(WriteTls, TheFilesOfSds) {
  ProcessorTls tls = mutual();
  tls.sds_folder = "/run/sds";
  const auto secret = [&](Format format) {
    const std::string text = write(format, {guard_at()}, with(tls));
    EXPECT_THAT(text, HasSubstr(sds_file(tls, format)));
    const YAML::Node resources = YAML::Load(text)["resources"];
    // Envoy takes one from each file.
    EXPECT_EQ(resources.size(), 1U);
    EXPECT_THAT(resources[0]["@type"].Scalar(), HasSubstr("tls.v3.Secret"));
    return resources[0];
  };
  const YAML::Node ca = secret(Format::sds_ca);
  EXPECT_EQ(ca["name"].Scalar(), "extproc-ca");
  EXPECT_EQ(ca["validation_context"]["trusted_ca"]["filename"].Scalar(), "/tls/ca.crt");
  EXPECT_EQ(ca["validation_context"]["watched_directory"]["path"].Scalar(), "/tls");
  const YAML::Node own = secret(Format::sds_certificate);
  EXPECT_EQ(own["name"].Scalar(), "extproc-certificate");
  EXPECT_EQ(own["tls_certificate"]["certificate_chain"]["filename"].Scalar(), "/tls/own/tls.crt");
  EXPECT_EQ(own["tls_certificate"]["private_key"]["filename"].Scalar(), "/tls/own/tls.key");
  EXPECT_EQ(own["tls_certificate"]["watched_directory"]["path"].Scalar(), "/tls/own");
  const YAML::Node sources = context_of(tls)["common_tls_context"];
  EXPECT_EQ(
      sources["tls_certificate_sds_secret_configs"][0]["sds_config"]["path_config_source"]["path"]
          .Scalar(),
      sds_file(tls, Format::sds_certificate));

  ProcessorTls slash = tls;
  slash.sds_folder = "/run/sds/";
  EXPECT_EQ(sds_file(slash, Format::sds_ca), "/run/sds/extproc-ca.yaml");

  const std::pair<const char*, const char*> folders[] = {{"ca.crt", "."}, {"/ca.crt", "/"}};
  for (const auto& [file, folder] : folders) {
    tls.ca = file;
    EXPECT_EQ(secret(Format::sds_ca)["validation_context"]["watched_directory"]["path"].Scalar(),
              folder);
  }
}

TEST(WriteTls, AWholeEnvoyHasANode) {
  const YAML::Node root = YAML::Load(write(Format::full, {guard_at()}, with(mutual())));
  EXPECT_TRUE(root["node"]["id"] && root["node"]["cluster"]);
  EXPECT_TRUE(root["static_resources"]["clusters"][0]["transport_socket"]);
  EXPECT_FALSE(root["static_resources"]["clusters"][1]["transport_socket"]);
}

TEST(WriteTls, NothingIsFoundInWhatIsWritten) {
  for (const Format format : {Format::filter, Format::full, Format::istio}) {
    for (const ProcessorTls& tls : {mutual(), of_server()}) {
      const Processor one = guard_at(kLoopback);
      const std::string text = write(format, {one}, with(tls));
      const auto findings = check(text, {one.needs}, {.tls = true});
      EXPECT_TRUE(findings.empty()) << findings[0].rule << " in\n" << text;
    }
  }
}

TEST(WriteTls, EnvoyGatewayHasItInTheBackend) {
  const auto backend = [](const ProcessorTls& tls) {
    return YAML::LoadAll(write(Format::envoy_gateway, {guard_at()}, with(tls)))[0]["spec"]["tls"];
  };
  const YAML::Node named = backend({.ca = "guard-ca"});
  EXPECT_EQ(named["sni"].Scalar(), "guard.example");
  EXPECT_EQ(named["caCertificateRefs"][0]["kind"].Scalar(), "ConfigMap");
  EXPECT_EQ(named["caCertificateRefs"][0]["name"].Scalar(), "guard-ca");
  EXPECT_EQ(named["alpnProtocols"][0].Scalar(), "h2");
  EXPECT_FALSE(named["wellKnownCACertificates"]);
  const YAML::Node system = backend({.server_name = "other.example"});
  EXPECT_EQ(system["sni"].Scalar(), "other.example");
  EXPECT_EQ(system["wellKnownCACertificates"].Scalar(), "System");
  EXPECT_FALSE(system["caCertificateRefs"]);
}

TEST(WriteTls, WhatCannotBeWrittenIsRefused) {
  const auto refusal = [](Format format, const std::optional<ProcessorTls>& tls,
                          const Endpoint& address = kNamed) {
    DocumentOptions options;
    options.tls = tls;
    try {
      write(format, {guard_at(address)}, options);
      return std::string("written");
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  for (const Format format : {Format::sds_ca, Format::sds_certificate})
    EXPECT_THAT(refusal(format, std::nullopt), HasSubstr("give --tls"));
  EXPECT_THAT(refusal(Format::sds_certificate, of_server()), HasSubstr("--tls-cert"));
  EXPECT_THAT(refusal(Format::full, ProcessorTls{}), HasSubstr("--tls-ca"));
  EXPECT_THAT(refusal(Format::full, of_server(), server::UnixAddress{"/a"}),
              HasSubstr("Unix domain socket"));
  ProcessorTls half = of_server();
  half.key = "/a.key";
  EXPECT_THAT(refusal(Format::cluster, half), HasSubstr("belong together"));
  ProcessorTls empty = of_server();
  empty.sds_folder = "";
  EXPECT_THAT(refusal(Format::cluster, empty), HasSubstr("--tls-sds-folder"));
  empty.server_name = "";
  EXPECT_THAT(refusal(Format::cluster, empty), HasSubstr("--tls-server-name"));
  EXPECT_THAT(refusal(Format::envoy_gateway, mutual()), HasSubstr("gateway/issues/9726"));
  EXPECT_THAT(refusal(Format::envoy_gateway, of_server(), kLoopback),
              HasSubstr("--tls-server-name"));
}

}  // namespace
}  // namespace extproc::envoy_config
