// Work of offload(): what is not begun for want of time, and what its coroutine is told of it.

#include <gmock/gmock.h>

#include <atomic>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "async_fixture.h"
#include "blocking_jobs.h"

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using enum Phase;

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
