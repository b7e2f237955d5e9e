#include "grpc/outbox.h"

#include <gtest/gtest.h>

#include <string>

#include "grpc/frame.h"

namespace extproc::grpc {
namespace {

class OutboxTest : public ::testing::Test {
 protected:
  void add(const std::string& message) {
    outbox.begin_message(buffers) += message;
    outbox.end_message(buffers);
    char prefix[FramePrefix::kBytes];
    FramePrefix{0, static_cast<std::uint32_t>(message.size())}.write(prefix);
    expected.append(prefix, sizeof prefix);
    expected += message;
    EXPECT_EQ(outbox.pending(), expected.size() - moved);
  }

  void add_with_tail(const std::string& head, const std::string& tail) {
    outbox.begin_message(buffers) += head;
    outbox.end_message_with(tail, buffers);
    char prefix[FramePrefix::kBytes];
    FramePrefix{0, static_cast<std::uint32_t>(head.size() + tail.size())}.write(prefix);
    expected.append(prefix, sizeof prefix);
    expected += head + tail;
    EXPECT_EQ(outbox.pending(), expected.size() - moved);
  }

  void move(std::size_t count) {
    outbox.move_to(out, count, buffers);
    moved += count;
    EXPECT_EQ(outbox.pending(), expected.size() - moved);
  }

  void expect_all_moved() {
    EXPECT_EQ(outbox.pending(), 0U);
    EXPECT_EQ(outbox.weight(), 0U);
    std::string text;
    out.copy_to(text);
    EXPECT_EQ(text, expected);
  }

  BufferPool buffers;
  http2::Output out;
  Outbox outbox;
  std::string expected;
  std::size_t moved = 0;
};

TEST_F(OutboxTest, MovesSmallAndLargeMessagesInOrder) {
  for (int round = 0; round < 3; ++round) {
    add("small");
    add(std::string(100'000, static_cast<char>('a' + round)));
    move(7);
    add("behind a large one that is being written");
    move(16'384);
    add(std::string(50'000, 'x'));
    while (outbox.pending() > 10'000) move(10'000);
    add("last");
    move(outbox.pending());
  }
  expect_all_moved();
}

TEST_F(OutboxTest, ATailFollowsItsMessage) {
  add("small");
  move(3);
  add_with_tail("head", std::string(100'000, 't'));
  add("between");
  add_with_tail("", std::string(20'000, 'u'));
  add_with_tail(std::string(30'000, 'h'), std::string(20'000, 'v'));
  while (outbox.pending() > 9'999) move(9'999);
  add("last");
  move(outbox.pending());
  expect_all_moved();
}

TEST_F(OutboxTest, WhatIsDroppedStaysInTheOutput) {
  const std::string large(100'000, 'l');
  add(large);
  move(20'000);
  outbox.clear(buffers);
  EXPECT_EQ(outbox.pending(), 0U);
  EXPECT_EQ(outbox.weight(), 0U);
  // Other messages take what buffers there are.
  for (int i = 0; i < 10; ++i) {
    outbox.begin_message(buffers) += std::string(100'000, 'o');
    outbox.end_message(buffers);
    outbox.clear(buffers);
  }
  std::string text;
  out.copy_to(text);
  EXPECT_EQ(text, expected.substr(0, 20'000));
}

TEST_F(OutboxTest, BuffersAreUsedAgainOnceWritten) {
  const std::string large(100'000, 'l');
  add(large);
  const char* first = nullptr;
  move(outbox.pending());
  out.for_each_piece([&](std::string_view piece) { first = piece.data(); });
  out.clear();
  EXPECT_EQ(outbox.begin_message(buffers).data(), first);
}

}  // namespace
}  // namespace extproc::grpc
