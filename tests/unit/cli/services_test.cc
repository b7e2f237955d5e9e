#include "cli/services.h"

#include <gmock/gmock.h>

#include "cli/needs.h"
#include "extproc/error.h"

namespace extproc::cli {
namespace {

using ::testing::HasSubstr;

ServiceOptions two(bool separate) {
  return {.services = {"good.First", "good.Second"},
          .separate = separate,
          .module_path = {TEST_MODULES}};
}

Settings on_port(int port) {
  Settings settings;
  settings.port = port;
  return settings;
}

std::string refusal(const ServiceOptions& which, const std::vector<std::string>& listen,
                    Settings settings = {}) {
  try {
    make_services(which, listen, settings);
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

std::vector<std::string> addresses(const std::vector<std::string>& listen, Settings settings) {
  std::vector<std::string> all;
  for (const Service& service : make_services(two(true), listen, settings)) {
    all.push_back(service.address().value_or("none"));
  }
  return all;
}

TEST(Services, WithoutAnyItIsTheBaseProcessor) {
  Settings settings;
  const auto services = make_services({}, {}, settings);
  ASSERT_EQ(services.size(), 1U);
  EXPECT_EQ(services[0].name(), "BaseExtProcService");
  EXPECT_EQ(services[0].address(), std::nullopt);
}

TEST(Services, OneListensWhereItIsTold) {
  Settings settings;
  ServiceOptions one = two(false);
  one.services.pop_back();
  EXPECT_EQ(make_services(one, {"unix:/a"}, settings).size(), 1U);
  EXPECT_EQ(settings.listen, "unix:/a");
  EXPECT_THAT(refusal(one, {"unix:/a", "unix:/b"}), HasSubstr("--listen was given 2 times"));
  // Alone there is nothing to separate.
  one.separate = true;
  EXPECT_EQ(make_services(one, {}, settings)[0].address(), std::nullopt);
}

TEST(Services, SeparateOnesHavePortsInARow) {
  EXPECT_THAT(addresses({}, on_port(7000)), ::testing::ElementsAre("7000", "7001"));
  EXPECT_THAT(addresses({}, on_port(0)), ::testing::ElementsAre("0", "0"));
  EXPECT_THAT(refusal(two(true), {}, on_port(65535)), HasSubstr("choose a lower --port"));
  ::setenv("GRPC_PORT", "7100", 1);
  EXPECT_THAT(addresses({}, {}), ::testing::ElementsAre("7100", "7101"));
  ::unsetenv("GRPC_PORT");
}

TEST(Services, SeparateOnesHaveAddressesOfTheirOwn) {
  EXPECT_THAT(addresses({"unix:/a", "127.0.0.1:1"}, {}),
              ::testing::ElementsAre("unix:/a", "127.0.0.1:1"));
  EXPECT_THAT(refusal(two(true), {"unix:/a"}),
              HasSubstr("needs an address for each of 2 processors"));
}

TEST(Needs, OfAChainAndOfEach) {
  const auto each = needs_of(two(true), {}, {});
  ASSERT_EQ(each.size(), 2U);
  EXPECT_EQ(each[0].handled, PhaseSet{Phase::request_headers});
  EXPECT_EQ(each[0].chain_header, "x-ext-procs-applied");
  EXPECT_TRUE(each[0].request_data);
  const auto chain =
      needs_of(two(false), {.skip_request_headers = true}, {.allow_mode_override = true});
  ASSERT_EQ(chain.size(), 1U);
  EXPECT_EQ(chain[0].name, "First,First");
  EXPECT_FALSE(chain[0].request_data);
  EXPECT_TRUE(chain[0].overrides_mode());
}

TEST(Needs, TheChainHeaderIsThatOfTheServer) {
  ::setenv("REVEAL_EXTPROC_CHAIN", "false", 1);
  EXPECT_EQ(needs_of(two(false), {}, {})[0].chain_header, "");
  ::unsetenv("REVEAL_EXTPROC_CHAIN");
}

TEST(Needs, ABodyModeForNoHandler) {
  try {
    needs_of(two(false), {.response_body_mode = BodySendMode::streamed}, {});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("--response-body-mode was given, but First, First does not"));
  }
}

}  // namespace
}  // namespace extproc::cli
