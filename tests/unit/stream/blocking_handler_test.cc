// Handlers of blocking processors: what is not begun for want of time, and what is told of it.

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <semaphore>

#include "async_fixture.h"
#include "blocking_jobs.h"

namespace extproc::stream {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using enum Phase;

std::shared_ptr<Handlers> blocking(int& calls) {
  auto service = handlers();
  service->blocking();
  service->process<request_headers>([&calls](auto&, auto&, auto&, auto&) { ++calls; });
  return service;
}

TEST(BlockingHandler, OfADeadStreamDoesNotRun) {
  int calls = 0;
  AsyncFixture f(blocking(calls));
  Busy busy(f);
  f.headers(request_headers);
  EXPECT_TRUE(f.close());
  EXPECT_THAT(f.observer.notes, ::testing::Contains(HasSubstr("cancelled")));
  busy.end();
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(f.counters.refused_jobs.value(), 0U);
}

TEST(BlockingHandler, ThatRunsWhenTheStreamDiesIsWaitedFor) {
  std::binary_semaphore entered{0}, open{0};
  auto service = handlers();
  service->blocking();
  service->process<request_headers>([&](auto&, auto&, auto&, auto&) {
    entered.release();
    open.acquire();
  });
  AsyncFixture f(service);
  f.headers(request_headers);
  entered.acquire();
  EXPECT_FALSE(f.close());
  open.release();
  f.finish_blocking();
  EXPECT_TRUE(f.close());
}

TEST(BlockingHandler, ThatCannotEndInTimeEndsItsStream) {
  int calls = 0;
  AsyncFixture f(blocking(calls));
  leave_no_time(f);
  Busy busy(f);
  f.headers(request_headers);
  EXPECT_FALSE(f.ended);
  busy.end();
  EXPECT_EQ(calls, 0);
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.status, GrpcStatus::resource_exhausted);
  EXPECT_THAT(f.sent, IsEmpty());
  EXPECT_EQ(f.counters.refused_jobs.value(), 1U);
  EXPECT_EQ(f.counters.handler_failures.value(), 0U);
  EXPECT_THAT(f.log, ElementsAre(HasSubstr("WARNING Test: request_headers work was not begun")));
}

TEST(BlockingHandler, RunsWhereAThreadIsFreeWhateverTheTime) {
  int calls = 0;
  AsyncFixture f(blocking(calls));
  leave_no_time(f);
  f.headers(request_headers);
  f.finish_blocking();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(f.sent.size(), 1U);
}

TEST(BlockingHandler, HasTimeWhereEnvoyCanBeAskedForMore) {
  int calls = 0;
  AsyncFixture f(blocking(calls));
  leave_no_time(f);
  f.settings.filter.max_message_timeout = 1s;
  Busy busy(f);
  f.headers(request_headers);
  busy.end();
  EXPECT_EQ(calls, 1);
}

TEST(BlockingHandler, ThatObservesHasTime) {
  int calls = 0;
  AsyncFixture f(blocking(calls));
  leave_no_time(f);
  f.observes = true;
  Busy busy(f);
  f.headers(request_headers);
  busy.end();
  EXPECT_EQ(calls, 1);
}

TEST(BlockingHandler, OverTheBoundOfTheQueueEndsItsStreamAtOnce) {
  int calls = 0;
  AsyncFixture f(blocking(calls), "", 1);
  Busy busy(f);
  // Waits, and so fills the queue.
  struct Waits final : detail::BlockingJob {
    void run() noexcept override {}
    void ended(End) noexcept override {}
  } waits;
  detail::ServiceTime time;
  f.loop().blocking.submit(waits, f.loop().executor, time, detail::BlockingPool::kNoHurry);
  f.headers(request_headers);
  EXPECT_EQ(f.status, GrpcStatus::resource_exhausted);
  EXPECT_TRUE(f.ended);
  busy.end();
  EXPECT_EQ(calls, 0);
}

TEST(BlockingHandler, ThatTakesLongerThanEnvoyWaitsByWhatWasToldRunsBehindOthers) {
  TooLong t;
  t.measure();
  t.run_behind_others();
  EXPECT_EQ(t.calls, 2);
  EXPECT_EQ(t.f->sent.size(), 1U);
  EXPECT_EQ(t.f->status, GrpcStatus::ok);
  EXPECT_EQ(t.f->counters.refused_jobs.value(), 0U);
}

TEST(BlockingHandler, ThatTakesLongerThanTheStreamsDeadlineDoesNotRunBehindOthers) {
  TooLong t;
  t.f->call_deadline = fake_now;
  t.measure();
  t.run_behind_others();
  EXPECT_EQ(t.calls, 1);
  EXPECT_EQ(t.f->status, GrpcStatus::resource_exhausted);
}

TEST(BlockingHandler, ThatOutlastsMessageTimeoutIsToldOnce) {
  TooLong t;
  t.measure();
  t.run_behind_others();
  EXPECT_THAT(t.f->log,
              ElementsAre(AllOf(HasSubstr("WARNING Test: request_headers took"),
                                HasSubstr("on a blocking thread"), HasSubstr("longer than 0 ms"),
                                HasSubstr("--message-timeout"))));
}

TEST(BlockingHandler, ThatTakesNoLongerThanMessageTimeoutIsNotTold) {
  TooLong t;
  t.f->settings.filter.message_timeout = 1h;
  t.measure();
  EXPECT_THAT(t.f->log, IsEmpty());
}

TEST(BlockingHandler, ForWhichEnvoyCanBeAskedForMoreTimeIsNotTold) {
  TooLong t;
  t.f->settings.filter.max_message_timeout = 1s;
  t.measure();
  EXPECT_THAT(t.f->log, IsEmpty());
}

TEST(BlockingHandler, ThatObservesIsNotTold) {
  TooLong t;
  t.f->observes = true;
  t.run_behind_others();
  EXPECT_EQ(t.calls, 1);
  EXPECT_THAT(t.f->log, IsEmpty());
}

}  // namespace
}  // namespace extproc::stream
