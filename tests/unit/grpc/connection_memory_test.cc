// What counts against the limit of a connection, and what it keeps of calls that are over.
#include <gmock/gmock.h>

#include <string>

#include "grpc/connection_fixture.h"
#include "http2/live_bytes.h"

namespace extproc::grpc::testing {
namespace {

using extproc::testing::live_bytes;

class MemoryTest : public ConnectionTest {
 protected:
  void forget_calls() {
    service.handlers.clear();
    client->forget_closed();
  }
};

TEST_F(MemoryTest, WhatManyCallsLeaveIsGivenBackWhenNoneIsOpen) {
  connect();
  const auto many_calls = [&] {
    std::vector<std::int32_t> ids;
    for (int i = 0; i < 700; ++i)
      ids.push_back(call({}, false, {{"x", std::string(1'000, 'v')}, {"y", std::to_string(i)}}));
    connection->give_back();
    EXPECT_EQ(connection->open_streams(), 700U);
    for (const auto id : ids) client->reset(id);
    talk();
    forget_calls();
  };
  // The client's part first.
  many_calls();
  connection->give_back();
  const std::size_t before = live_bytes();
  many_calls();
  EXPECT_GT(live_bytes() - before, 100'000U);
  connection->give_back();
  EXPECT_LT(live_bytes() - before, 5'000U);
  call({"m"});
  EXPECT_EQ(service.handler().messages.size(), 1U);
}

TEST_F(MemoryTest, AnAnswerToACallThatIsOverIsNotKept) {
  connect();
  call({"m"});
  FakeHandler& handler = service.handler();
  handler.call.finish(GrpcStatus::ok);
  const std::size_t before = live_bytes();
  handler.send(std::string(100'000, 'x'));
  EXPECT_LT(live_bytes() - before, 1'000U);
  handler.call.begin_message() += std::string(100'000, 'x');
  handler.call.end_message_with(std::string(100'000, 'y'));
  EXPECT_LT(live_bytes() - before, 1'000U);
}

}  // namespace
}  // namespace extproc::grpc::testing
