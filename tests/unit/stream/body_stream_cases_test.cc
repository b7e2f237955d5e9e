// Handlers over a whole body: how they end, and bodies that are not a plain row of chunks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/system/system_error.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "async_fixture.h"
#include "every_mode.h"

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;

struct End {
  const char* name;
  void (*act)(BodyStream&, Context&);
  const char* answer;  // behind the first chunk's; null: none
  GrpcStatus status;
  const char* outcome;
};

const End kEnds[] = {
    {"Throws", [](BodyStream&, Context&) { throw std::runtime_error("broken"); }, nullptr,
     GrpcStatus::unknown, "failed"},
    {"Stops", [](BodyStream&, Context&) { throw StopRequestProcessing({.status = 403}); },
     "immediate 403", GrpcStatus::ok, "immediate"},
    {"Responds", [](BodyStream& body, Context&) { body.response().respond({.status = 403}); },
     "immediate 403", GrpcStatus::ok, "immediate"},
    {"Aborts", [](BodyStream&, Context& context) { context.abort(GrpcStatus::data_loss, "no"); },
     nullptr, GrpcStatus::data_loss, "aborted"},
};

class Ends : public ::testing::TestWithParam<std::tuple<int, int, bool>> {};

TEST_P(Ends, OfABodysHandlerAreTheStreams) {
  const End& end = kEnds[std::get<0>(GetParam())];
  const BodySendMode mode = kModes[std::get<1>(GetParam())];
  const bool suspends = std::get<2>(GetParam());
  auto service = handlers();
  service->process<Phase::request_body>(
      [&](BodyStream& body, Context& context, Request&) -> Task<> {
        co_await body.read();
        if (suspends) co_await let_loop_run(context);
        end.act(body, context);
      });
  AsyncFixture f(service);
  f.config = every(mode);
  f.body(Phase::request_body, "one");
  f.body(Phase::request_body, "two", true);
  if (end.answer == nullptr) {
    EXPECT_TRUE(f.sent.empty());
  } else {
    EXPECT_THAT(f.sent, ElementsAre(end.answer));
  }
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.status, end.status);
  EXPECT_EQ(f.sent_after_end, 0);
  EXPECT_THAT(f.observer.notes,
              ::testing::Contains("< request_body " + std::string(end.outcome) + " 0"));
  EXPECT_TRUE(f.close());
}

INSTANTIATE_TEST_SUITE_P(Table, Ends,
                         ::testing::Combine(::testing::Range(0, 4), ::testing::Range(0, 6),
                                            ::testing::Bool()),
                         [](const auto& tested) {
                           return std::string(kEnds[std::get<0>(tested.param)].name) + "_" +
                                  std::string(to_string(kModes[std::get<1>(tested.param)])) +
                                  (std::get<2>(tested.param) ? "_Later" : "_AtOnce");
                         });

// A handler that waits in read() or writable() is told of the stream's end, and of nothing but it.
TEST(BodyStream, IsCancelledWhereItWaits) {
  for (const bool writes : {false, true}) {
    for (const BodySendMode mode : kModes) {
      int aborted = 0;
      AsyncFixture* fixture = nullptr;
      auto service = handlers();
      service->process<Phase::request_body>(
          [&](BodyStream& body, Context& context, Request&) -> Task<> {
            co_await body.read();
            fixture->congested_at_once = writes;
            // One that goes on all the same waits no more.
            while (aborted < 3) {
              try {
                if (writes) {
                  co_await body.writable();
                } else {
                  co_await body.read();
                }
                ADD_FAILURE() << "it went on";
                co_return;
              } catch (const boost::system::system_error& error) {
                EXPECT_EQ(error.code(), boost::asio::error::operation_aborted);
                EXPECT_TRUE(context.cancelled());
                body.write("dropped");
                ++aborted;
              }
            }
          });
      AsyncFixture f(service);
      // Otherwise one message is all of the body.
      f.config = every(mode == BodySendMode::buffered || mode == BodySendMode::buffered_partial
                           ? BodySendMode::streamed
                           : mode);
      fixture = &f;
      f.body(Phase::request_body, "one");
      EXPECT_EQ(aborted, 0);
      const auto before = f.sent.size();
      EXPECT_TRUE(f.close());
      EXPECT_EQ(aborted, 3);
      EXPECT_EQ(f.sent.size(), before);
      EXPECT_EQ(f.observer.notes.back(), "end CANCELLED cancelled 0");
    }
  }
}

TEST(BodyStream, IsCancelledWhileItWaitsForATimer) {
  auto service = handlers();
  service->process<Phase::request_body>(
      [&](BodyStream& body, Context& context, Request&) -> Task<> {
        co_await body.read();
        co_await wait_for_cancellation(context);
      });
  AsyncFixture f(service);
  f.config = every(BodySendMode::streamed);
  f.body(Phase::request_body, "one");
  EXPECT_FALSE(f.ended);
  EXPECT_TRUE(f.close());
  EXPECT_TRUE(f.sent.empty());
}

// A client whose filter did not heed a mode override, or that is not Envoy.
TEST(BodyStream, AnswersEachOfSeveralMessagesOfABufferedBody) {
  for (const BodySendMode mode : {BodySendMode::buffered, BodySendMode::buffered_partial}) {
    Gate gate;
    auto service = handlers();
    service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
      while (auto chunk = co_await body.read()) {
        co_await gate.passed();
        body.write(chunk->body());
      }
    });
    AsyncFixture f(service);
    f.config = every(mode);
    f.body(Phase::request_body, "one");
    f.body(Phase::request_body, "two");
    f.body(Phase::request_body, "three", true);
    gate.open();
    f.run();
    EXPECT_THAT(f.sent, ElementsAre("request_body", "request_body", "request_body"));
  }
}

TEST(BodyStream, CorrectsContentLengthOfABufferedBody) {
  auto service = handlers();
  service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    co_await body.read();
    body.write("longer than before");
    body.response().set_header("x-a", "1");
    body.response().set_dynamic_metadata("ns", Struct().set("a", 1));
  });
  AsyncFixture f(service);
  f.config = every(BodySendMode::buffered);
  f.headers(Phase::request_headers, false, {{"content-length", "5"}});
  f.body(Phase::request_body, "short", true);
  EXPECT_EQ(f.sent.back(),
            "request_body set x-a=1 set content-length=18 body=\"longer than before\" "
            "metadata{ns}");
}

// GRPC mode: a message is a message, also an empty one; the end may come without one.
TEST(BodyStream, KeepsGrpcMessagesApart) {
  auto service = handlers();
  service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    EXPECT_EQ(body.mode(), BodySendMode::grpc);
    while (auto chunk = co_await body.read()) {
      chunk->grpc_message_compressed() ? body.write_compressed(chunk->body())
                                       : body.write(chunk->body());
    }
  });
  AsyncFixture f(service);
  f.config = every(BodySendMode::grpc);
  f.body(Phase::request_body, "one", false, {.grpc_message_compressed = true});
  f.body(Phase::request_body, "");
  f.body(Phase::request_body, "", true, {.end_of_stream_without_message = true});
  EXPECT_THAT(f.sent,
              ElementsAre("request_body streamed=\"one\",compressed", "request_body streamed=\"\"",
                          "request_body streamed=\"\",end,no-message"));
}

// Also where the end is told by this flag alone, and behind a handler that has returned.
TEST(BodyStream, TellsTheEndOfAGrpcStreamThatItFinished) {
  for (const bool end_of_stream : {false, true}) {
    auto service = handlers();
    service->process<Phase::request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
      body.write("all");
      body.finish();
      co_return;
    });
    AsyncFixture f(service);
    f.config = every(BodySendMode::grpc);
    f.body(Phase::request_body, "one");
    f.body(Phase::request_body, "two");
    f.body(Phase::request_body, "", end_of_stream, {.end_of_stream_without_message = true});
    EXPECT_THAT(f.sent, ElementsAre("request_body streamed=\"all\"",
                                    "request_body streamed=\"\",end,no-message"));
  }
}

// Chunks may come before the answer to the headers, and before the headers.
TEST(BodyStream, BeginsWithoutHeaders) {
  auto service = handlers();
  service->process<Phase::response_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    while (auto chunk = co_await body.read()) body.write(chunk->body());
  });
  AsyncFixture f(service);
  f.config = ProtocolConfiguration{BodySendMode::none, BodySendMode::streamed, true};
  f.settings.early_end = false;
  f.body(Phase::response_body, "one");
  f.send("");
  f.body(Phase::response_body, "two", true);
  f.headers(Phase::request_headers, true);
  EXPECT_THAT(f.sent, ElementsAre("response_body", "response_body", "request_headers"));
}

}  // namespace
}  // namespace extproc::stream
