#include "grpc/health_messages.h"

#include <gtest/gtest.h>

namespace extproc::grpc {
namespace {

TEST(HealthMessages, RequestsAreReadAsTheyWereWritten) {
  for (const std::string& service : {std::string(), std::string("a.B"), std::string(300, 'x')}) {
    std::string message;
    write_health_request(message, service);
    EXPECT_EQ(read_health_request(message), service);
  }
  std::string message;
  write_health_request(message, "a.B");
  EXPECT_EQ(message,
            "\x0A\x03"
            "a.B");
}

TEST(HealthMessages, ResponsesAreReadAsTheyWereWritten) {
  for (const int status : {0, 1, 2, 3, 99, -1}) {
    std::string message;
    write_health_response(message, static_cast<ServingStatus>(status));
    EXPECT_EQ(read_health_response(message), static_cast<ServingStatus>(status));
  }
}

TEST(HealthMessages, Responses) {
  EXPECT_EQ(read_health_response(""), ServingStatus::unknown);
  // The last one counts, and fields that are not known do not.
  EXPECT_EQ(read_health_response("\x08\x01\x12\x01x\x08\x02"), ServingStatus::not_serving);
  // Of another type it is another field.
  EXPECT_EQ(read_health_response("\x0A\x01\x01"), ServingStatus::unknown);
  EXPECT_EQ(read_health_response("\x08"), std::nullopt);
  EXPECT_EQ(read_health_response("\x0A\x05x"), std::nullopt);
}

}  // namespace
}  // namespace extproc::grpc
