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
  EXPECT_GT(inbox.clear(buffers), 300U * 5);
  EXPECT_TRUE(inbox.empty());
}

TEST_F(InboxTest, CountsWhatItDrops) {
  append_all(frame("abc") + frame("defg").substr(0, 7));
  EXPECT_EQ(inbox.pop(buffers), 8U);
  EXPECT_EQ(inbox.clear(buffers), 7U);
  EXPECT_EQ(inbox.clear(buffers), 0U);
}

TEST(BufferPool, KeepsCapacityButNotMuch) {
  BufferPool buffers;
  std::string small(100, 'x');
  buffers.give_back(small);
  EXPECT_TRUE(small.empty());
  EXPECT_GE(buffers.take().capacity(), 100U);
  EXPECT_LT(buffers.take().capacity(), 100U);
  std::string large(1 << 20, 'x');
  buffers.give_back(large);
  EXPECT_LT(large.capacity(), 100U);
  EXPECT_LT(buffers.take().capacity(), 100U);
}

}  // namespace
}  // namespace extproc::grpc
