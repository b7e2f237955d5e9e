// Work for blocking threads that nobody waits for, or that could not end in time: it does not run,
// and its stream goes on as it should.

#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "async_fixture.h"

namespace extproc::stream {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using enum Phase;

/// Keeps the one blocking thread of a stream busy.
class Busy final : private detail::BlockingJob {
 public:
  explicit Busy(AsyncFixture& stream) : stream_(stream) {
    auto& [executor, pool] = stream_.loop();
    pool.submit(*this, executor, time_, detail::BlockingPool::kNoHurry);
    held_.acquire();
  }
  /// Lets the thread go, and waits for all that was handed to it.
  void end() {
    open_.release();
    stream_.finish_blocking();
  }

 private:
  void run() noexcept override {
    held_.release();
    open_.acquire();
  }
  void ended(End) noexcept override {}

  AsyncFixture& stream_;
  detail::ServiceTime time_;
  std::binary_semaphore held_{0};
  std::binary_semaphore open_{0};
};

/// What waited is late by then, however quick the machine is.
void leave_no_time(AsyncFixture& f) { f.settings.filter.message_timeout = 0ms; }

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

/// Work that takes longer than Envoy waits by what the server was told: no time at all.
struct TooLong {
  explicit TooLong(std::optional<std::chrono::milliseconds> fallback = std::nullopt) {
    auto service = handlers();
    service->blocking();
    service->process<request_headers>([this, fallback](auto&, auto&, auto&, auto& response) {
      if (fallback) response.fall_back_after(*fallback);
      work();
    });
    f.emplace(service);
    leave_no_time(*f);
  }
  void work() {
    std::this_thread::sleep_for(1ms);
    ++calls;
  }
  /// Runs a stream of its own, for which a thread is free, so that it is known how long work takes.
  void measure() {
    f->headers(request_headers);
    while (f->loop().blocking.busy()) std::this_thread::yield();
    f->run();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(f->sent.size(), 1U);
    f->restart();
    f->sent.clear();
  }
  void run_behind_others() {
    Busy busy(*f);
    f->headers(request_headers);
    busy.end();
  }

  std::atomic<int> calls = 0;
  std::optional<AsyncFixture> f;
};

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

/// A coroutine that offloads, with what it tells of it.
struct Offloading {
  int calls = 0;
  std::string caught;

  template <class Before>
  std::shared_ptr<Handlers> service(Before before) {
    auto made = handlers();
    made->process<request_headers>(
        [this, before](auto&, Context&, auto&, HeadersResponse& response) -> Task<> {
          before(response);
          co_await offload([this] { ++calls; });
        });
    return made;
  }
};

TEST(OffloadedWork, ThatCannotEndInTimeEndsTheStream) {
  Offloading o;
  AsyncFixture f(o.service([](auto&) {}));
  leave_no_time(f);
  Busy busy(f);
  f.headers(request_headers);
  busy.end();
  EXPECT_EQ(o.calls, 0);
  EXPECT_EQ(f.status, GrpcStatus::resource_exhausted);
  EXPECT_THAT(f.sent, IsEmpty());
  EXPECT_EQ(f.counters.refused_jobs.value(), 1U);
}

TEST(OffloadedWork, ThatCannotEndInTimeHasItsFallbackSent) {
  Offloading o;
  AsyncFixture f(o.service([](auto& response) {
    response.set_header("x-lost", "1");
    response.fall_back_after(1h);
  }));
  leave_no_time(f);
  Busy busy(f);
  f.headers(request_headers);
  busy.end();
  EXPECT_EQ(o.calls, 0);
  EXPECT_EQ(f.status, GrpcStatus::ok);
  ASSERT_EQ(f.sent.size(), 1U);
  EXPECT_THAT(f.sent[0], ::testing::Not(HasSubstr("x-lost")));
  EXPECT_EQ(f.counters.fallbacks.value(), 1U);
}

TEST(OffloadedWork, ThatCannotEndInTimeHasItsImmediateFallbackSent) {
  Offloading o;
  AsyncFixture f(
      o.service([](auto& response) { response.fall_back_after(1h, ImmediateResponse{503}); }));
  leave_no_time(f);
  Busy busy(f);
  f.headers(request_headers);
  busy.end();
  EXPECT_THAT(f.sent, ElementsAre(HasSubstr("503")));
  EXPECT_EQ(f.status, GrpcStatus::ok);
}

/// Offloads work that takes longer than Envoy waits by what the server was told, twice: with a free
/// thread, and behind others.
struct Twice {
  /// `before`: what the handler does first with its response.
  template <class Before>
  explicit Twice(Before before) {
    auto service = handlers();
    service->process<request_headers>(
        [this, before](auto&, Context&, auto&, HeadersResponse& response) -> Task<> {
          before(response);
          for (int i = 0; i < 2; ++i) {
            co_await offload([this] {
              std::this_thread::sleep_for(1ms);
              ++calls;
            });
            if (i == 0) co_await gate.passed();
          }
        });
    f.emplace(service);
    leave_no_time(*f);
  }
  void run() {
    f->headers(request_headers);
    while (!gate.waited_at()) f->run();
    Busy busy(*f);
    gate.open();
    busy.end();
  }

  std::atomic<int> calls = 0;
  Gate gate;
  std::optional<AsyncFixture> f;
};

TEST(OffloadedWork, ThatTakesLongerThanEnvoyWaitsByWhatWasToldRunsBehindOthers) {
  Twice t([](auto&) {});
  t.run();
  EXPECT_EQ(t.calls, 2);
  EXPECT_EQ(t.f->status, GrpcStatus::ok);
  EXPECT_THAT(t.f->log, ElementsAre(HasSubstr("on a blocking thread")));
}

TEST(OffloadedWork, ThatBeginsLateAndTakesNoLongerThanMessageTimeoutIsNotTold) {
  Twice t([](auto&) { fake_now += 1h; });
  t.f->settings.filter.message_timeout = 1h;
  t.run();
  EXPECT_EQ(t.calls, 2);
  EXPECT_THAT(t.f->log, IsEmpty());
}

// The fallback is sent before Envoy would give up by what was told, and so for certain.
TEST(OffloadedWork, ThatTakesLongerThanItsFallbackWaitsHasThatSent) {
  Twice t([](auto& response) { response.fall_back_after(1h, ImmediateResponse{503}); });
  t.run();
  EXPECT_EQ(t.calls, 1);
  EXPECT_THAT(t.f->sent, ElementsAre(HasSubstr("503")));
}

// Its pieces have as much time as they like.
TEST(OffloadedWork, OfAResponseThatHasBegunHasTime) {
  Twice t([](auto& response) { response.respond_streaming(200).write("begun"); });
  t.run();
  EXPECT_EQ(t.calls, 2);
  EXPECT_EQ(t.f->status, GrpcStatus::ok);
  EXPECT_THAT(t.f->log, IsEmpty());
}

TEST(OffloadedWork, OfABodysHandlerIsToldWhereEnvoyWaitsForItsAnswer) {
  for (const auto mode : {BodySendMode::streamed, BodySendMode::full_duplex_streamed}) {
    auto service = handlers();
    service->process<request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
      const auto chunk = co_await body.read();
      EXPECT_TRUE(chunk);
      co_await offload([] { std::this_thread::sleep_for(1ms); });
    });
    AsyncFixture f(service);
    f.config = ProtocolConfiguration{mode, BodySendMode::none, false};
    leave_no_time(f);
    f.body(request_body, "all of it", true);
    f.finish_blocking();
    EXPECT_EQ(f.sent.size(), 1U);
    if (mode == BodySendMode::streamed) {
      EXPECT_THAT(f.log, ElementsAre(HasSubstr("request_body took")));
    } else {
      EXPECT_THAT(f.log, IsEmpty());
    }
  }
}

TEST(OffloadedWork, ThatIsRefusedCanBeCaught) {
  std::string caught;
  auto service = handlers();
  service->process<request_headers>([&](auto&, auto&, auto&, auto& response) -> Task<> {
    try {
      co_await offload([] {});
    } catch (const Overloaded& overloaded) {
      caught = overloaded.what();
    }
    response.set_header("x-without", "work");
  });
  AsyncFixture f(service);
  leave_no_time(f);
  Busy busy(f);
  f.headers(request_headers);
  busy.end();
  EXPECT_THAT(caught, HasSubstr("busy"));
  EXPECT_THAT(f.sent, ElementsAre(HasSubstr("x-without")));
}

TEST(OffloadedWork, OfADeadStreamDoesNotRun) {
  Offloading o;
  AsyncFixture f(o.service([](auto&) {}));
  Busy busy(f);
  f.headers(request_headers);
  EXPECT_TRUE(f.close());
  busy.end();
  EXPECT_EQ(o.calls, 0);
}

TEST(OffloadedWork, OfADeadStreamThrowsWhatAsioThrows) {
  std::vector<bool> aborted;
  int calls = 0;
  auto service = handlers();
  service->process<request_headers>([&](auto&, auto&, auto&, auto&) -> Task<> {
    // The second is asked for when the stream is over.
    for (int i = 0; i < 2; ++i) {
      try {
        co_await offload([&] { ++calls; });
      } catch (const boost::system::system_error& error) {
        aborted.push_back(error.code() == boost::asio::error::operation_aborted);
      }
    }
  });
  AsyncFixture f(service);
  Busy busy(f);
  f.headers(request_headers);
  EXPECT_TRUE(f.close());
  EXPECT_THAT(aborted, ElementsAre(true, true));
  busy.end();
  EXPECT_EQ(calls, 0);
}

TEST(OffloadedWork, OfALateHandlerDoesNotRun) {
  Offloading o;
  AsyncFixture f(o.service([](auto& response) { response.fall_back_after(50ms); }));
  Busy busy(f);
  f.headers(request_headers);
  f.pass(50ms);
  EXPECT_EQ(f.sent.size(), 1U);
  EXPECT_EQ(f.status, GrpcStatus::ok);
  busy.end();
  EXPECT_EQ(o.calls, 0);
  EXPECT_EQ(f.counters.refused_jobs.value(), 0U);
}

TEST(OffloadedWork, OfABodysHandlerHasItsFallbackSent) {
  int calls = 0;
  auto service = handlers();
  service->process<request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    body.response().fall_back_after(1h);
    const auto chunk = co_await body.read();
    EXPECT_TRUE(chunk);
    body.write("changed");
    co_await offload([&] { ++calls; });
  });
  AsyncFixture f(service);
  f.config = ProtocolConfiguration{BodySendMode::streamed, BodySendMode::none, false};
  leave_no_time(f);
  Busy busy(f);
  f.body(request_body, "one", false);
  f.body(request_body, "two", true);
  busy.end();
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(f.sent.size(), 2U);
  for (const std::string& answer : f.sent)
    EXPECT_THAT(answer, ::testing::Not(HasSubstr("changed")));
  EXPECT_EQ(f.counters.fallbacks.value(), 1U);
}

TEST(OffloadedWork, OfABodysHandlerWithoutFallbackEndsTheStream) {
  int calls = 0;
  auto service = handlers();
  service->process<request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    const auto chunk = co_await body.read();
    EXPECT_TRUE(chunk);
    co_await offload([&] { ++calls; });
  });
  AsyncFixture f(service);
  f.config = ProtocolConfiguration{BodySendMode::streamed, BodySendMode::none, false};
  leave_no_time(f);
  Busy busy(f);
  f.body(request_body, "one", true);
  busy.end();
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(f.status, GrpcStatus::resource_exhausted);
  EXPECT_EQ(f.counters.refused_jobs.value(), 1U);
}

}  // namespace
}  // namespace extproc::stream
