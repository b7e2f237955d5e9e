#include "grpc/inbox.h"

#include <gtest/gtest.h>

#include "http2/client_peer.h"

namespace extproc::grpc {
namespace {

using http2::testing::frame;

class InboxTest : public ::testing::Test {
 protected:
  int append_all(std::string_view bytes) {
    int prefixes = 0;
    while (!bytes.empty()) {
      const Inbox::Appended appended = inbox.append(bytes, buffers);
      prefixes += appended.prefix ? 1 : 0;
      bytes.remove_prefix(appended.bytes);
    }
    return prefixes;
  }

  BufferPool buffers;
  Inbox inbox;
};

TEST_F(InboxTest, StopsAtThePrefixAndAtTheEndOfTheMessage) {
  const std::string bytes = frame("abc") + frame("d");
  Inbox::Appended appended = inbox.append(bytes, buffers);
  EXPECT_EQ(appended.bytes, 5U);
  ASSERT_TRUE(appended.prefix);
  EXPECT_EQ(appended.prefix->message_bytes, 3U);
  EXPECT_FALSE(inbox.has_message());
  EXPECT_TRUE(inbox.has_partial());
  appended = inbox.append(std::string_view(bytes).substr(5), buffers);
  EXPECT_EQ(appended.bytes, 3U);
  EXPECT_FALSE(appended.prefix);
  EXPECT_TRUE(inbox.has_message());
  EXPECT_FALSE(inbox.has_partial());
  EXPECT_EQ(inbox.front(), "abc");
}

TEST_F(InboxTest, TellsThePrefixOfAnEmptyMessage) {
  const Inbox::Appended appended = inbox.append(frame("", 1), buffers);
  ASSERT_TRUE(appended.prefix);
  EXPECT_EQ(appended.prefix->compressed, 1);
  EXPECT_TRUE(inbox.has_message());
  EXPECT_EQ(inbox.pop(buffers), 5U);
  EXPECT_TRUE(inbox.empty());
}

TEST_F(InboxTest, KeepsOrderWhileItIsFilledAndEmptied) {
  int next_in = 0;
  int next_out = 0;
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(append_all(frame("message " + std::to_string(next_in++))), 1);
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(inbox.has_message());
      EXPECT_EQ(inbox.front(), "message " + std::to_string(next_out++));
      inbox.pop(buffers);
    }
  }
  inbox.clear(buffers);
  EXPECT_TRUE(inbox.empty());
}

TEST_F(InboxTest, WeighsNothingUnlessSomethingWaits) {
  EXPECT_EQ(inbox.weight(), 0U);
  append_all(frame("abc") + frame("defg").substr(0, 7));
  EXPECT_EQ(inbox.pop(buffers), 8U);
  EXPECT_GE(inbox.weight(), 7U);
  inbox.clear(buffers);
  EXPECT_EQ(inbox.weight(), 0U);
}

TEST_F(InboxTest, MakesRoomForAMessageAsItComes) {
  const std::string bytes = frame(std::string(1'000'000, 'x'));
  inbox.append(bytes, buffers);
  append_all(std::string_view(bytes).substr(5, 16'000));
  EXPECT_GE(inbox.weight(), 100'000U);
  EXPECT_LE(inbox.weight(), 130'000U);
  append_all(std::string_view(bytes).substr(16'005));
  EXPECT_EQ(inbox.weight(), bytes.size());
}

TEST_F(InboxTest, SeldomMovesManyMessagesThatWait) {
  append_all(frame(std::string(20'000, 'x')));
  int moved = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::size_t before = inbox.weight();
    append_all(frame("a message that waits"));
    if (inbox.weight() != before) ++moved;
  }
  EXPECT_LE(moved, 5);
}

class BufferPoolTest : public ::testing::Test {
 protected:
  void give(std::size_t capacity) {
    std::string buffer;
    buffer.reserve(capacity);
    buffers.give_back(buffer);
    EXPECT_LT(buffer.capacity(), 100U);
  }

  BufferPool buffers;
};

TEST_F(BufferPoolTest, KeepsWhatItIsGiven) {
  give(100);
  EXPECT_GE(buffers.take().capacity(), 100U);
  EXPECT_LT(buffers.take().capacity(), 100U);
}

TEST_F(BufferPoolTest, KeepsNothingVeryLargeAndNotMuchOfTheRest) {
  give(16 << 20);
  EXPECT_LT(buffers.take().capacity(), 100U);
  std::size_t kept = 0;
  for (int i = 0; i < 20; ++i) give(1 << 20);
  for (std::size_t taken = 1; taken > 100; kept += taken) taken = buffers.take().capacity();
  EXPECT_LE(kept, 8U << 20);
}

TEST_F(BufferPoolTest, GivesNoMuchLargerBufferThanAskedFor) {
  give(1 << 20);
  EXPECT_LT(buffers.take(100'000).capacity(), 200'000U);
  EXPECT_GE(buffers.take(600'000).capacity(), 1U << 20);
  give(1 << 20);
  EXPECT_LT(buffers.take(100).capacity(), 200U);
  std::string buffer = buffers.take();
  EXPECT_GE(buffer.capacity(), 1U << 20);
  buffer = "short";
  buffers.fit(buffer);
  EXPECT_EQ(buffer, "short");
  EXPECT_LT(buffer.capacity(), 100U);
  EXPECT_GE(buffers.take().capacity(), 1U << 20);
}

}  // namespace
}  // namespace extproc::grpc
