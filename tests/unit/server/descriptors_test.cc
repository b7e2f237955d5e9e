#include "server/descriptors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace extproc::server {
namespace {

using ::testing::ElementsAre;

TEST(Descriptors, AreOfAllServicesOfAServer) {
  EXPECT_THAT(descriptors().services(),
              ElementsAre("envoy.service.ext_proc.v3.ExternalProcessor", "grpc.health.v1.Health",
                          "grpc.reflection.v1.ServerReflection",
                          "grpc.reflection.v1alpha.ServerReflection"));
  for (const char* symbol : {"envoy.service.ext_proc.v3.ExternalProcessor.Process",
                             "envoy.service.ext_proc.v3.ProcessingRequest.request_headers",
                             "grpc.health.v1.Health.Watch", "grpc.health.v1.HealthCheckRequest"}) {
    EXPECT_TRUE(descriptors().file_of_symbol(symbol)) << symbol;
  }
  EXPECT_TRUE(descriptors().file_of_extension("google.protobuf.FieldOptions", 1071));
}

// A client can do nothing with a file one of whose imports it cannot get.
TEST(Descriptors, EveryImportIsThereAndStandsBeforeWhoNeedsIt) {
  for (std::size_t file = 0; file < descriptors().files(); ++file) {
    for (const std::size_t imported : descriptors().imports(file)) EXPECT_LT(imported, file);
  }
}

}  // namespace
}  // namespace extproc::server
