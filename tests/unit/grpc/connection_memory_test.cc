// What counts against the limit of a connection, and what it keeps of calls that are over.
#include <gmock/gmock.h>

#include <algorithm>
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

// A few bytes of HPACK stand for as much text as a peer likes.
TEST_F(MemoryTest, TheHeadersOfCallsCountAgainstTheConnection) {
  limits.buffered_bytes_per_connection = 200'000;
  limits.message_bytes = 1'000;
  connect();
  const Headers large = {{"x", std::string(30'000, 'v')}};
  const auto other = [&large](int number) {
    Headers headers = large;
    headers.emplace_back("number", std::to_string(number));
    return headers;
  };
  std::vector<std::int32_t> open;
  std::int32_t last = 0;
  for (int i = 0; i < 20; ++i) {
    last = call({}, false, other(i));
    if (client->stream(last).closed) break;
    open.push_back(last);
  }
  EXPECT_GE(open.size(), 3U);
  EXPECT_LE(open.size(), 6U);
  EXPECT_EQ(client->stream(last).grpc_status(), "8");
  EXPECT_THAT(client->stream(last).grpc_message(), ::testing::HasSubstr("headers"));
  EXPECT_EQ(service.handlers.size(), open.size());

  // Each that ends makes room for one, as often as one likes.
  for (int i = 100; i < 150; ++i) {
    client->reset(open.front());
    open.erase(open.begin());
    talk();
    open.push_back(call({}, false, other(i)));
    ASSERT_FALSE(client->stream(open.back()).closed) << i;
  }
}

TEST_F(MemoryTest, HeadersThatCallsShareCountOnce) {
  limits.buffered_bytes_per_connection = 200'000;
  limits.message_bytes = 1'000;
  connect();
  const Headers large = {{"x", std::string(60'000, 'v')}};
  std::vector<std::int32_t> open;
  open.reserve(20);
  for (int i = 0; i < 20; ++i) open.push_back(call({}, false, large));
  for (const auto id : open) ASSERT_FALSE(client->stream(id).closed);
  // As long as one has them.
  for (int i = 0; i < 19; ++i) client->reset(open[static_cast<std::size_t>(i)]);
  talk();
  int more = 0;
  for (; more < 5; ++more) {
    const auto id = call({}, false, {{"x", std::string(60'000, static_cast<char>('a' + more))}});
    if (client->stream(id).closed) break;
  }
  EXPECT_EQ(more, 2);
}

TEST_F(MemoryTest, WhatManyCallsLeaveIsGivenBackWhenNoneIsOpen) {
  connect();
  const auto many_calls = [&] {
    std::vector<std::int32_t> ids;
    ids.reserve(700);
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

// Else the peer that asks for much and reads nothing of it takes the thread from all others.
TEST_F(MemoryTest, LargeAnswersOfManyCallsLeaveOthersTheirTurn) {
  service.act_on_message = [](FakeHandler& handler, std::string_view) {
    handler.send(std::string(std::size_t{3} << 20, 'x'));
  };
  connect();
  constexpr int kCalls = 20;
  for (int i = 0; i < kCalls; ++i) {
    client->send_message(client->open_call(FakeService::kPath), "m");
  }
  const auto answered = [this] {
    return std::ranges::count_if(service.handlers,
                                 [](const auto& each) { return !each->messages.empty(); });
  };
  connection->receive(client->take_output(), now);
  EXPECT_EQ(service.handlers.size(), std::size_t{kCalls});
  EXPECT_EQ(answered(), 2);
  const int asked = output_calls;
  take_output(std::size_t{1} << 20);
  EXPECT_LE(answered(), 4);
  EXPECT_GT(output_calls, asked);
  for (int i = 0; i < kCalls; ++i) take_output(std::size_t{1} << 20);
  EXPECT_EQ(answered(), kCalls);
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
