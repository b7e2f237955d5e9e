#include "grpc/health.h"

#include <gmock/gmock.h>

#include "grpc/connection_fixture.h"

namespace extproc::grpc::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kServing("\x08\x01", 2);
const std::string kNotServing("\x08\x02", 2);
const std::string kServiceUnknown("\x08\x03", 2);

std::string request(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message += '\x0A';
    message += static_cast<char>(service.size());
    message += service;
  }
  return message;
}

class HealthTest : public ConnectionTest {
 protected:
  HealthTest() {
    services = {&service, &health};
    connect();
  }

  const ClientStream& ask(std::string_view method, const std::string& message) {
    const auto id = client->open_call("/grpc.health.v1.Health/" + std::string(method));
    client->send_message(id, message, true);
    talk();
    return client->stream(id);
  }

  HealthService health{{"envoy.service.ext_proc.v3.ExternalProcessor"}};
};

TEST_F(HealthTest, CheckKnowsTheServerAndItsNames) {
  for (const std::string_view name : {"", "envoy.service.ext_proc.v3.ExternalProcessor"}) {
    health.set_serving(true);
    EXPECT_THAT(ask("Check", request(name)).messages(), ElementsAre(kServing));
    health.set_serving(false);
    const ClientStream& stream = ask("Check", request(name));
    EXPECT_THAT(stream.messages(), ElementsAre(kNotServing));
    EXPECT_EQ(stream.grpc_status(), "0");
  }
}

TEST_F(HealthTest, CheckRefusesWhatItDoesNotKnow) {
  EXPECT_EQ(ask("Check", request("other")).grpc_status(), "5");
  EXPECT_EQ(ask("Check", "\x0A\x7F").grpc_status(), "13");
  EXPECT_EQ(ask("List", "").grpc_status(), "12");
  const auto id = client->open_call("/grpc.health.v1.Health/Check");
  client->end(id);
  talk();
  EXPECT_EQ(client->stream(id).grpc_status(), "13");
}

TEST_F(HealthTest, CheckSkipsFieldsThatItDoesNotKnow) {
  EXPECT_THAT(ask("Check", std::string("\x10\x05\x0D\0\0\0\0", 7)).messages(),
              ElementsAre(kServing));
}

TEST_F(HealthTest, WatchTellsEachChange) {
  const ClientStream& stream = ask("Watch", request(""));
  EXPECT_THAT(stream.messages(), ElementsAre(kServing));
  health.set_serving(true);
  health.set_serving(false);
  EXPECT_EQ(output_calls, 1);
  talk();
  EXPECT_THAT(stream.messages(), ElementsAre(kServing, kNotServing));
  EXPECT_FALSE(stream.end_stream);
}

TEST_F(HealthTest, WatchOfAnUnknownNameStaysOpen) {
  const ClientStream& stream = ask("Watch", request("other"));
  health.set_serving(false);
  talk();
  EXPECT_THAT(stream.messages(), ElementsAre(kServiceUnknown));
  EXPECT_FALSE(stream.end_stream);
}

TEST_F(HealthTest, WatchRefusesBadRequests) {
  EXPECT_EQ(ask("Watch", "\x0A\x7F").grpc_status(), "13");
  const auto none = client->open_call("/grpc.health.v1.Health/Watch");
  client->end(none);
  const auto two = client->open_call("/grpc.health.v1.Health/Watch");
  client->send_message(two, "");
  client->send_message(two, "");
  talk();
  EXPECT_EQ(client->stream(none).grpc_status(), "13");
  EXPECT_EQ(client->stream(two).grpc_status(), "13");
}

TEST_F(HealthTest, EndsWatchesThatAreOpenAndThatCome) {
  const ClientStream& known = ask("Watch", request(""));
  const ClientStream& unknown = ask("Watch", request("other"));
  health.end_watches();
  talk();
  const ClientStream& late = ask("Watch", request(""));
  for (const ClientStream* stream : {&known, &unknown, &late}) {
    EXPECT_EQ(stream->messages().size(), 1U);
    EXPECT_EQ(stream->grpc_status(), "14");
  }
  EXPECT_EQ(connection->open_streams(), 0U);
}

TEST_F(HealthTest, WatchesThatAreGoneAreForgotten) {
  const auto id = client->open_call("/grpc.health.v1.Health/Watch");
  client->send_message(id, "");
  talk();
  client->reset(id);
  talk();
  health.set_serving(false);
  EXPECT_EQ(output_calls, 0);
  ask("Watch", "");
  connection.reset();
  health.set_serving(true);
}

}  // namespace
}  // namespace extproc::grpc::testing
