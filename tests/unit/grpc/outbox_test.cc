#include "grpc/outbox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

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

// Wherever the cut is: what was moved and what is left are whole messages, and no more of them than
// were begun.
TEST_F(OutboxTest, WhatIsNotBegunIsDropped) {
  const std::string messages[] = {"small", std::string(20'000, 'a'), "", "between",
                                  std::string(40'000, 'b')};
  for (std::size_t cut = 0; cut < 130'000; cut += cut < 30 || cut % 100 == 0 ? 1 : 99) {
    outbox = Outbox();
    out.clear();
    expected.clear();
    moved = 0;
    std::vector<std::size_t> ends = {0};
    const auto next = [&] { ends.push_back(expected.size()); };
    for (const std::string& message : messages) {
      add(message);
      next();
    }
    add_with_tail("head", std::string(30'000, 't'));
    next();
    add_with_tail(std::string(20'000, 'h'), "tail");
    next();
    add("last");
    next();
    const std::size_t count = std::min(cut, expected.size());
    for (std::size_t left = count; left > 0; left -= std::min<std::size_t>(left, 16'384))
      move(std::min<std::size_t>(left, 16'384));

    outbox.drop_unbegun(buffers);
    expected.resize(*std::ranges::lower_bound(ends, count));
    EXPECT_EQ(outbox.pending(), expected.size() - moved) << cut;
    // The same again, half of the rest later.
    move(outbox.pending() / 2);
    outbox.drop_unbegun(buffers);
    move(outbox.pending());
    expect_all_moved();
  }
}

TEST_F(OutboxTest, MessagesMayComeBehindOneThatWasCutShort) {
  add(std::string(40'000, 'a'));
  add("dropped");
  move(100);
  outbox.drop_unbegun(buffers);
  expected.resize(40'005);
  add("more");
  move(39'905);
  outbox.drop_unbegun(buffers);
  expected.resize(40'005);
  expect_all_moved();
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
