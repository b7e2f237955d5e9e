// Messages split and packed across DATA frames and reads in every way.
#include <gmock/gmock.h>

#include <random>

#include "grpc/connection_fixture.h"

namespace extproc::grpc::testing {
namespace {

class FramingTest : public ConnectionTest {
 protected:
  const std::vector<std::string> messages = {"ab", "", "c", "", "defghij"};
  std::string bytes() const {
    std::string all;
    for (const std::string& message : messages) all += frame(message);
    return all;
  }
};

TEST_F(FramingTest, EveryWayToCutInTwoOrThree) {
  service.act_on_message = echo;
  service.act_on_half_close = finish_ok;
  connect();
  const std::string all = bytes();
  for (std::size_t first = 0; first <= all.size(); ++first) {
    for (std::size_t second = first; second <= all.size(); ++second) {
      const auto id = client->open_call(FakeService::kPath);
      client->send(id, all.substr(0, first));
      client->send(id, all.substr(first, second - first));
      client->send(id, all.substr(second), true);
      talk();
      ASSERT_EQ(client->stream(id).messages(), messages) << first << ' ' << second;
      ASSERT_EQ(client->stream(id).grpc_status(), "0");
      service.handlers.clear();
    }
  }
}

TEST_F(FramingTest, EverySizeOfReads) {
  service.act_on_message = echo;
  service.act_on_half_close = finish_ok;
  for (piece = 1; piece < 80; ++piece) {
    connect();
    const auto id = call(messages, true);
    ASSERT_EQ(client->stream(id).messages(), messages) << piece;
    ASSERT_EQ(client->stream(id).grpc_status(), "0");
  }
}

TEST_F(FramingTest, RandomMessagesCutsAndPauses) {
  std::mt19937 random(7);
  service.act_on_message = [&random](FakeHandler& handler, std::string_view message) {
    handler.send(message);
    if (random() % 3 == 0) handler.call.pause();
  };
  service.act_on_half_close = finish_ok;
  connect();
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> sent;
    std::string all;
    for (std::size_t i = random() % 20; i > 0; --i) {
      const std::size_t size = random() % 5 == 0 ? random() % 40'000 : random() % 40;
      sent.emplace_back(size, static_cast<char>('a' + random() % 26));
      all += frame(sent.back());
    }
    const auto id = client->open_call(FakeService::kPath);
    talk();
    FakeHandler& handler = *service.handlers.back();
    piece = 1 + random() % 70'000;
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t count = 1 + random() % (random() % 2 == 0 ? 10 : 20'000);
      client->send(id, all.substr(at, count));
      at += count;
      if (random() % 4 == 0) {
        talk();
        if (handler.closes == 0) handler.call.resume();
      }
    }
    client->end(id);
    for (talk(); handler.closes == 0; talk()) handler.call.resume();
    ASSERT_EQ(handler.messages, sent);
    ASSERT_EQ(client->stream(id).messages(), sent);
    ASSERT_EQ(handler.close_reason, CloseReason::finished);
    service.handlers.clear();
  }
}

TEST_F(FramingTest, PaddingIsNoPartOfMessages) {
  service.act_on_message = echo;
  connect();
  const auto id = client->open_call(FakeService::kPath);
  talk();
  // A DATA frame with 3 bytes of padding, written by hand.
  const std::string message = frame("padded");
  std::string data("\0\0", 2);
  data += static_cast<char>(1 + message.size() + 3);
  data += std::string("\0\x08\0\0\0", 5) + static_cast<char>(id) + '\x03' + message;
  data.append(3, '\0');
  connection->receive(data, now);
  talk();
  EXPECT_THAT(client->stream(id).messages(), ::testing::ElementsAre("padded"));
}

}  // namespace
}  // namespace extproc::grpc::testing
