// Coroutines: what users write naturally must be right on every compiler, GCC 12 included.

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "extproc/async.h"
#include "extproc/testing.h"

namespace extproc {
namespace {

using testing::AsEnvoyExtProc;
using testing::envoy_headers;
using testing::ProcessResult;
using testing::StreamOptions;

using Body = std::function<Task<>(const HttpHeaders&, Context&, Request&, HeadersResponse&)>;

ProcessResult run(Body body, StreamOptions options = {}) {
  auto handlers = std::make_shared<Handlers>("Coroutine");
  handlers->process<Phase::request_headers>([body](const HttpHeaders& headers, Context& context,
                                                   Request& request,
                                                   HeadersResponse& response) -> Task<> {
    return body(headers, context, request, response);
  });
  return AsEnvoyExtProc(
             {.request_headers = envoy_headers(
                  {{":method", "GET"}, {"x-token", "a value of some length, on the heap"}})},
             std::move(options))
      .process(handlers);
}

std::string value(const ProcessResult& result) {
  return testing::envoy_set_headers_to_dict(result.responses.at(0)).at("x-value");
}

Task<std::string> twice(std::string text) { co_return text + text; }
Task<int> immediate(int number) { co_return number; }
Task<> throws() {
  throw std::runtime_error("from below");
  co_return;
}

TEST(Task, GivesAValue) {
  EXPECT_EQ(value(run([](auto& headers, auto&, auto&, auto& response) -> Task<> {
              const std::string token(*headers.get_header("x-token"));
              const std::string doubled = co_await twice(token);
              response.set_header("x-value", doubled);
            })),
            "a value of some length, on the heapa value of some length, on the heap");
}

TEST(Task, MovesWhatCannotBeCopied) {
  EXPECT_EQ(value(run([](auto&, auto&, auto&, auto& response) -> Task<> {
              auto make = []() -> Task<std::unique_ptr<int>> {
                co_return std::make_unique<int>(7);
              };
              const auto number = co_await make();
              response.set_header("x-value", std::to_string(*number));
            })),
            "7");
}

TEST(Task, AMillionAwaitsThatCompleteAtOnceNeedNoStack) {
  EXPECT_EQ(value(run([](auto&, auto&, auto&, auto& response) -> Task<> {
              long sum = 0;
              for (int i = 0; i < 1'000'000; ++i) sum += co_await immediate(1);
              response.set_header("x-value", std::to_string(sum));
            })),
            "1000000");
}

TEST(Task, AHundredThousandSuspensionsNeedNoStack) {
  EXPECT_EQ(value(run([](auto&, auto& context, auto&, auto& response) -> Task<> {
              auto tick = [](Context& c) -> Task<int> {
                boost::asio::steady_timer timer(executor(c), std::chrono::nanoseconds(0));
                co_await timer.async_wait(boost::asio::deferred);
                co_return 1;
              };
              int sum = 0;
              for (int i = 0; i < 100'000; ++i) sum += co_await tick(context);
              response.set_header("x-value", std::to_string(sum));
            })),
            "100000");
}

TEST(Task, ThrowsThroughAwaits) {
  const auto result = run([](auto&, auto&, auto&, auto&) -> Task<> { co_await throws(); });
  EXPECT_EQ(result.status, GrpcStatus::unknown);
  ASSERT_EQ(result.log.size(), 1U);
  EXPECT_NE(result.log[0].find("from below"), std::string::npos);
}

TEST(Task, ThrowsAfterItSuspended) {
  const auto result = run([](auto&, auto& context, auto&, auto&) -> Task<> {
    boost::asio::steady_timer timer(executor(context), std::chrono::milliseconds(1));
    co_await timer.async_wait(boost::asio::deferred);
    throw std::runtime_error("later");
  });
  EXPECT_EQ(result.status, GrpcStatus::unknown);
}

TEST(Task, StopsProcessingAfterItSuspended) {
  const auto result = run([](auto&, auto& context, auto&, auto&) -> Task<> {
    boost::asio::steady_timer timer(executor(context), std::chrono::milliseconds(1));
    co_await timer.async_wait(boost::asio::deferred);
    throw StopRequestProcessing(form_immediate_response(403, {}, "no"));
  });
  ASSERT_NE(result.immediate_response(), nullptr);
  EXPECT_EQ(result.immediate_response()->status, 403);
  EXPECT_EQ(result.status, GrpcStatus::ok);
}

TEST(Task, AwaitsAsiosOwnCoroutines) {
  EXPECT_EQ(value(run([](auto&, auto& context, auto&, auto& response) -> Task<> {
              auto coroutine =
                  [](boost::asio::any_io_executor on) -> boost::asio::awaitable<std::string> {
                boost::asio::steady_timer timer(on, std::chrono::milliseconds(1));
                co_await timer.async_wait(boost::asio::use_awaitable);
                co_return "from an awaitable";
              };
              const std::string text = co_await coroutine(executor(context));
              response.set_header("x-value", text);
            })),
            "from an awaitable");
}

TEST(Task, ResumesOnItsOwnThread) {
  EXPECT_EQ(value(run([](auto&, auto&, auto&, auto& response) -> Task<> {
              const auto before = std::this_thread::get_id();
              const auto elsewhere = co_await offload([] { return std::this_thread::get_id(); });
              const bool right = std::this_thread::get_id() == before && elsewhere != before;
              response.set_header("x-value", right ? "right" : "wrong");
            })),
            "right");
}

TEST(Offload, TakesNamedCallablesWithCaptures) {
  const auto tracked = std::make_shared<int>(1);
  EXPECT_EQ(value(run([tracked](auto&, auto&, auto&, auto& response) -> Task<> {
              for (int i = 0; i < 100; ++i) {
                auto work = [copy = tracked, text = std::string(100, 'x')] {
                  return text.size() + static_cast<std::size_t>(*copy);
                };
                const auto size = co_await offload(work);
                response.set_header("x-value", std::to_string(size));
              }
            })),
            "101");
  EXPECT_EQ(tracked.use_count(), 1);
}

TEST(Offload, TakesTemporariesThatCaptureByReference) {
  EXPECT_EQ(value(run([](auto& headers, auto&, auto&, auto& response) -> Task<> {
              const std::string token(*headers.get_header("x-token"));
              std::string result;
              for (int i = 0; i < 100; ++i) result = co_await offload([&] { return token; });
              response.set_header("x-value", result);
            })),
            "a value of some length, on the heap");
}

TEST(Offload, ThrowsWhatTheWorkThrows) {
  EXPECT_EQ(value(run([](auto&, auto&, auto&, auto& response) -> Task<> {
              std::string caught;
              try {
                co_await offload([]() -> int { throw std::runtime_error("from the pool"); });
              } catch (const std::runtime_error& error) {
                caught = error.what();
              }
              response.set_header("x-value", caught);
            })),
            "from the pool");
}

TEST(Cancellation, EndsWhatIsAwaitedAndDropsTheAnswer) {
  bool aborted = false, again = false, cancelled = false;
  const auto result = run(
      [&](auto& headers, auto& context, auto&, auto& response) -> Task<> {
        boost::asio::steady_timer timer(executor(context), std::chrono::hours(1));
        try {
          co_await timer.async_wait(boost::asio::deferred);
        } catch (const boost::system::system_error& error) {
          aborted = error.code() == boost::asio::error::operation_aborted;
        }
        try {
          co_await timer.async_wait(boost::asio::deferred);
        } catch (const boost::system::system_error& error) {
          again = error.code() == boost::asio::error::operation_aborted;
        }
        // What was taken before the first await is still there.
        cancelled = context.cancelled() && headers.get_header("x-token")->starts_with("a value");
        response.set_header("x-value", "never seen");
      },
      {.reset_after = 1});
  EXPECT_TRUE(aborted);
  EXPECT_TRUE(again);
  EXPECT_TRUE(cancelled);
  EXPECT_TRUE(result.responses.empty());
}

TEST(Cancellation, WaitsForOffloadedWork) {
  std::string seen;
  run(
      [&](auto& headers, auto& context, auto&, auto&) -> Task<> {
        seen = co_await offload([&] {
          while (!context.cancelled()) std::this_thread::yield();
          return std::string(*headers.get_header("x-token"));
        });
      },
      {.reset_after = 1});
  EXPECT_EQ(seen, "a value of some length, on the heap");
}

}  // namespace
}  // namespace extproc
