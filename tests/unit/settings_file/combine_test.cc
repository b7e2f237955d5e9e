#include "settings_file/combine.h"

#include <gmock/gmock.h>

#include "settings_file/reader.h"
#include "settings_file/tree.h"
#include "written.h"

namespace extproc::settings_file {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Given flag(std::string_view name, std::string text) {
  const auto& row = server::setting_row(name);
  return {&row, server::flag_of(row), std::move(text)};
}

std::vector<PlannedService> combined(std::string_view text, const Overlay& flags) {
  Errors errors("a.yaml");
  const Plan plan = read_plan(read_tree(text, errors), errors);
  errors.throw_if_any();
  return combine(plan, flags);
}

std::vector<std::string> addresses(const std::vector<PlannedService>& services) {
  std::vector<std::string> all;
  for (const auto& service : services) {
    const Settings settings = service.common.settings();
    all.push_back(settings.listen.value_or(settings.port ? "port " + std::to_string(*settings.port)
                                                         : "none"));
  }
  return all;
}

constexpr const char* kTwo =
    "port: 1\nthreads: 3\nlimits: {connections: 5}\n"
    "services: [{processors: [a.A], listen: 'unix:/a', threads: 4}, {processors: [a.B]}]";

TEST(Combine, TheServiceIsStrongerThanTheTopAndFlagsThanBoth) {
  Overlay flags;
  flags.common.given.put(flag("limits.connections", "9"));
  const auto services = combined(kTwo, flags);
  ASSERT_EQ(services.size(), 2U);
  EXPECT_THAT(addresses(services), ElementsAre("unix:/a", "port 1"));
  EXPECT_EQ(services[0].common.settings().threads, 4U);
  EXPECT_EQ(services[1].common.settings().threads, 3U);
  for (const auto& service : services) {
    EXPECT_EQ(service.common.settings().limits.connections, 9U);
    EXPECT_EQ(service.common.given.find("limits.connections")->source, "--connections");
  }
  flags.common.given.put(flag("threads", "7"));
  for (const auto& service : combined(kTwo, flags))
    EXPECT_EQ(service.common.settings().threads, 7U);
}

TEST(Combine, AddressesOfFlags) {
  Overlay flags{.listen = {"unix:/x", "unix:/y"}};
  EXPECT_THAT(addresses(combined(kTwo, flags)), ElementsAre("unix:/x", "unix:/y"));
  EXPECT_THAT(refusal_of([&] { combined("port: 1", flags); }), HasSubstr("2 times, for one"));
  flags.listen = {"unix:/x"};
  EXPECT_THAT(refusal_of([&] { combined(kTwo, flags); }), HasSubstr("an address for each of 2"));
  EXPECT_THAT(addresses(combined("port: 1", flags)), ElementsAre("unix:/x"));
  flags.listen.clear();
  flags.common.given.put(flag("port", "70"));
  EXPECT_THAT(addresses(combined("listen: 'unix:/a'", flags)), ElementsAre("port 70"));
  EXPECT_THAT(addresses(combined(kTwo, flags)), ElementsAre("70", "71"));
  flags.common.given.put(flag("port", "65535"));
  EXPECT_THAT(refusal_of([&] { combined(kTwo, flags); }), HasSubstr("choose a lower --port"));
}

TEST(Combine, ProcessorsOfFlagsAreInPlaceOfTheServices) {
  Overlay flags{.processors = {"b.X", "b.Y"}};
  auto services = combined(kTwo, flags);
  ASSERT_EQ(services.size(), 1U);
  EXPECT_EQ(services[0].processors.size(), 2U);
  EXPECT_THAT(addresses(services), ElementsAre("port 1"));
  EXPECT_EQ(services[0].common.settings().threads, 3U);
  flags.separate = true;
  services = combined(kTwo, flags);
  EXPECT_THAT(addresses(services), ElementsAre("1", "2"));
  EXPECT_EQ(services[1].processors[0].name, "b.Y");
  EXPECT_THAT(refusal_of([&] { combined("listen: 'unix:/a'", flags); }),
              HasSubstr("cannot share the address unix:/a"));
}

TEST(Combine, WithoutServicesTheBaseProcessor) {
  const auto services = combined("threads: 2", {});
  ASSERT_EQ(services.size(), 1U);
  ASSERT_EQ(services[0].processors.size(), 1U);
  EXPECT_EQ(services[0].processors[0].name, "");
}

TEST(Combine, TlsKeepsWhatTheStrongerDoesNotSayOfClients) {
  const char* text =
      "tls: {certificate: c, key: k, client_ca_file: a, crl: r, allowed_sans: ['dns:x'], "
      "min_version: 1.3}\n"
      "services: [{processors: [a.A], tls: {certificate_file: c2, key_file: k2}},\n"
      "{processors: [a.B], port: 2, tls: {certificate_file: c3, key_file: k3, client_ca: b}}]";
  auto services = combined(text, {});
  const TlsSettings first = services[0].common.tls->settings;
  EXPECT_EQ(first.certificate_file + first.key_file, "c2k2");
  EXPECT_EQ(first.certificate + first.key, "");
  EXPECT_EQ(first.client_ca_file, "a");
  EXPECT_EQ(first.crl, "r");
  EXPECT_THAT(first.allowed_sans, ElementsAre("dns:x"));
  EXPECT_EQ(first.min_version, TlsVersion::v1_3);
  EXPECT_EQ(services[1].common.tls->settings.client_ca_file, "");
  EXPECT_EQ(services[1].common.tls->settings.client_ca, "b");
  Overlay flags;
  flags.common.tls = {.settings = {.certificate_file = "c4", .key_file = "k4"},
                      .source = "--tls-cert"};
  services = combined(text, flags);
  EXPECT_EQ(services[0].common.tls->settings.certificate_file, "c4");
  EXPECT_EQ(services[0].common.tls->settings.client_ca_file, "a");
  EXPECT_EQ(services[1].common.tls->settings.client_ca, "b");
}

TEST(Combine, WhatCountsOtherwise) {
  const Overlay flags{.otherwise = flag("log_level", "WARNING")};
  EXPECT_EQ(combined("threads: 2", flags)[0].common.settings().log_level, LogLevel::warning);
  EXPECT_EQ(combined("log_level: DEBUG", flags)[0].common.settings().log_level, LogLevel::debug);
}

}  // namespace
}  // namespace extproc::settings_file
