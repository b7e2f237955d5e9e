#include "trace/span_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace extproc::trace {
namespace {

constexpr SpanQueue::Bounds kWide{std::size_t{64} << 20, 0, 512};

void add(SpanOutbox& outbox, std::string_view span) {
  outbox.add(span.size(), [&](char* at) {
    std::memcpy(at, span.data(), span.size());
    return at + span.size();
  });
}

std::string taken(SpanQueue& queue) {
  std::string all;
  for (const auto& buffer : queue.take()) {
    all.append(buffer->bytes.data(), buffer->size);
    queue.done(*buffer);
  }
  return all;
}

TEST(SpanQueue, TakesWhatAWriterHasBegun) {
  SpanQueue queue(kWide, [] {});
  SpanOutbox outbox(queue);
  EXPECT_EQ(taken(queue), "");
  add(outbox, "one");
  add(outbox, "two");
  EXPECT_EQ(taken(queue), "onetwo");
  EXPECT_EQ(taken(queue), "");
  add(outbox, "three");
  EXPECT_EQ(taken(queue), "three");
  EXPECT_EQ(queue.figures().sent, 3U);
}

TEST(SpanQueue, KeepsTheOrderOfBuffers) {
  SpanQueue queue(kWide, [] {});
  SpanOutbox outbox(queue);
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string span(1000, static_cast<char>('a' + i % 26));
    add(outbox, span);
    expected += span;
  }
  EXPECT_EQ(taken(queue), expected);
}

TEST(SpanQueue, WhatAWriterLeavesBehindIsSent) {
  SpanQueue queue(kWide, [] {});
  std::make_unique<SpanOutbox>(queue);
  {
    SpanOutbox outbox(queue);
    add(outbox, "last");
  }
  EXPECT_EQ(taken(queue), "last");
}

TEST(SpanQueue, WakesOnceForABatch) {
  int woken = 0;
  SpanQueue queue({std::size_t{64} << 20, 0, 4}, [&] { ++woken; });
  SpanOutbox outbox(queue);
  for (int i = 0; i < 3; ++i) add(outbox, "x");
  EXPECT_EQ(woken, 0);
  EXPECT_FALSE(queue.has_batch());
  add(outbox, "x");
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(queue.has_batch());
  for (int i = 0; i < 8; ++i) add(outbox, "x");
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(taken(queue).size(), 12U);
  for (int i = 0; i < 4; ++i) add(outbox, "x");
  EXPECT_EQ(woken, 2);
}

TEST(SpanQueue, DropsAndCountsWhatIsTooMuch) {
  SpanQueue queue({3 * sizeof(SpanBuffer), 0, 1}, [] {});
  SpanOutbox outbox(queue);
  for (int i = 0; i < 5; ++i) add(outbox, "x");
  EXPECT_EQ(queue.figures().dropped, 2U);
  {
    // What is under way counts, until it is done.
    auto under_way = queue.take();
    EXPECT_EQ(under_way.size(), 3U);
    add(outbox, "x");
    EXPECT_EQ(queue.figures().dropped, 3U);
    queue.done(*under_way[0]);
    queue.done(*under_way[1], 1);
    add(outbox, "y");
    EXPECT_EQ(queue.figures().dropped, 4U);
    queue.done(*under_way[2]);
  }
  EXPECT_EQ(taken(queue), "y");
  EXPECT_EQ(queue.figures().sent, 3U);
}

TEST(SpanQueue, BoundsSpansToo) {
  SpanQueue queue({std::size_t{64} << 20, 3, 1}, [] {});
  SpanOutbox outbox(queue);
  for (int i = 0; i < 5; ++i) add(outbox, "x");
  EXPECT_EQ(queue.figures().dropped, 2U);
  EXPECT_EQ(taken(queue), "xxx");
}

TEST(SpanQueue, ASpanThatIsTooLargeIsDropped) {
  SpanQueue queue(kWide, [] {});
  SpanOutbox outbox(queue);
  add(outbox, std::string(SpanBuffer::kBytes + 1, 'x'));
  add(outbox, std::string(SpanBuffer::kBytes, 'y'));
  EXPECT_EQ(queue.figures().dropped, 1U);
  EXPECT_EQ(taken(queue).size(), SpanBuffer::kBytes);
}

TEST(SpanQueue, LosesNothingBetweenThreads) {
  constexpr int kSpans = 50'000;
  constexpr int kWriters = 3;
  SpanQueue queue({std::size_t{1} << 30, 0, 64}, [] {});
  std::atomic<int> running = kWriters;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      SpanOutbox outbox(queue);
      for (int i = 0; i < kSpans; ++i) add(outbox, std::string(1, static_cast<char>('a' + writer)));
      --running;
    });
  }
  std::string all;
  while (running > 0) all += taken(queue);
  for (auto& writer : writers) writer.join();
  all += taken(queue);
  for (int writer = 0; writer < kWriters; ++writer)
    EXPECT_EQ(std::ranges::count(all, static_cast<char>('a' + writer)), kSpans);
  EXPECT_EQ(queue.figures().sent, static_cast<std::uint64_t>(kWriters * kSpans));
  EXPECT_EQ(queue.figures().dropped, 0U);
}

}  // namespace
}  // namespace extproc::trace
