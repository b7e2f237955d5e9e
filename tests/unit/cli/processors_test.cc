#include "cli/processors.h"

#include <gmock/gmock.h>

#include "extproc/error.h"

namespace extproc::cli {
namespace {

using ::testing::HasSubstr;
using Needs = std::vector<envoy_config::Needs>;

const Needs kTwo = {{.name = "FirstGuard"}, {.name = "SecondGuard"}};

std::vector<std::string> placed(const Needs& needs, const Placement& placement) {
  std::vector<std::string> all;
  for (const auto& one : place(needs, placement)) {
    all.push_back(one.cluster + " at " + server::to_string(one.address));
  }
  return all;
}

std::string refusal(const Needs& needs, const Placement& placement) {
  try {
    place(needs, placement);
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Place, NamesAndPortsFollow) {
  EXPECT_THAT(placed(kTwo, {}), ::testing::ElementsAre("first-guard at 127.0.0.1:50051",
                                                       "second-guard at 127.0.0.1:50052"));
  EXPECT_THAT(placed(kTwo, {.addresses = {"host:7000"}, .cluster_names = {"a", "b"}}),
              ::testing::ElementsAre("a at host:7000", "b at host:7001"));
  EXPECT_THAT(placed(kTwo, {.addresses = {"host:7000", "unix:/b"}}),
              ::testing::ElementsAre("first-guard at host:7000", "second-guard at unix:/b"));
  EXPECT_THAT(placed({{.name = "A,B"}}, {.addresses = {"unix:/a"}}),
              ::testing::ElementsAre("extproc-chain at unix:/a"));
}

TEST(Place, InKubernetesAServiceHasTheClustersName) {
  EXPECT_THAT(placed(kTwo, {.kubernetes_namespace = "shop"}),
              ::testing::ElementsAre("first-guard at first-guard.shop.svc.cluster.local:50051",
                                     "second-guard at second-guard.shop.svc.cluster.local:50051"));
}

TEST(Place, WhatCannotBe) {
  EXPECT_THAT(refusal(kTwo, {.addresses = {"unix:/a"}}), HasSubstr("repeat --address"));
  EXPECT_THAT(refusal(kTwo, {.addresses = {"a:65535"}}), HasSubstr("choose a lower one"));
  EXPECT_THAT(refusal(kTwo, {.addresses = {"a:1", "a:2", "a:3"}}), HasSubstr("3 times for 2"));
  EXPECT_THAT(refusal(kTwo, {.addresses = {"50051"}}), HasSubstr("where to connect to"));
  EXPECT_THAT(refusal(kTwo, {.cluster_names = {"a"}}), HasSubstr("--cluster-name was given 1"));
  EXPECT_THAT(refusal(kTwo, {.cluster_names = {"a", "a"}}), HasSubstr("in use already"));
  EXPECT_THAT(refusal(kTwo, {.cluster_names = {"a", "upstream"}}), HasSubstr("in use already"));
  EXPECT_THAT(refusal(kTwo, {.cluster_names = {"a", ""}}), HasSubstr("is empty"));
}

}  // namespace
}  // namespace extproc::cli
