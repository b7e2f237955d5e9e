#include "extproc/status.h"

#include <gtest/gtest.h>

namespace extproc {
namespace {

TEST(GrpcStatus, HasTheNamesOfGrpc) {
  EXPECT_EQ(to_string(GrpcStatus::ok), "OK");
  EXPECT_EQ(to_string(GrpcStatus::resource_exhausted), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(to_string(GrpcStatus::unauthenticated), "UNAUTHENTICATED");
  EXPECT_EQ(to_string(static_cast<GrpcStatus>(99)), "UNKNOWN");
}

}  // namespace
}  // namespace extproc
