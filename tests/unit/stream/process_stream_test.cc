#include "stream/process_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "stream_fixture.h"

namespace extproc::stream {
namespace {

using ::testing::ElementsAre;
using testing::envoy_set_headers_to_dict;
using ::testing::HasSubstr;

TEST(ProcessStream, AnswersEachPhaseOnceInAnyOrder) {
  // Response headers first, a body without headers, directions that interleave.
  const std::vector<Phase> order{Phase::response_headers, Phase::request_body, Phase::response_body,
                                 Phase::request_trailers, Phase::response_trailers};
  for (const PhaseSet handled : {PhaseSet{}, PhaseSet::all(), PhaseSet{Phase::request_body}}) {
    Fixture f(nothing, handled);
    for (const Phase phase : order) {
      f.stream.on_message(phase == Phase::request_body || phase == Phase::response_body
                              ? testing::write_body(phase, "x", false, {})
                              : testing::write_trailers(phase, {}, {}));
    }
    ASSERT_EQ(f.sink.answers.size(), order.size());
    for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(f.sink.answers[i].phase, order[i]);
    EXPECT_FALSE(f.sink.finished);
    EXPECT_EQ(f.counters.messages.value(), order.size());
  }
}

TEST(ProcessStream, AnswersNothingToAMessageWithoutAPhase) {
  Fixture f(nothing);
  f.stream.on_message("");
  EXPECT_TRUE(f.sink.answers.empty());
  EXPECT_FALSE(f.sink.finished);
  f.body(Phase::request_body, "x");
  EXPECT_EQ(f.sink.answers.size(), 1U);
}

TEST(ProcessStream, EndsOnAMalformedMessage) {
  Fixture f(nothing);
  f.stream.on_message("\xff\xff");
  EXPECT_TRUE(f.sink.finished);
  EXPECT_EQ(f.sink.status, GrpcStatus::internal);
  EXPECT_EQ(f.counters.malformed_messages.value(), 1U);
  EXPECT_THAT(f.log, ElementsAre(HasSubstr("10.0.0.1:1")));
}

TEST(ProcessStream, AnswersNothingWhenItOnlyObserves) {
  int calls = 0;
  Fixture f([&](detail::Invocation& invocation) {
    ++calls;
    EXPECT_TRUE(invocation.context->observability_mode());
    invocation.headers_response->respond({.status = 403});
    return detail::Step::done;
  });
  f.stream.on_message(testing::write_headers(Phase::request_headers, {}, true, {true, nullptr}));
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(f.sink.answers.empty());
  EXPECT_FALSE(f.sink.finished);
}

struct Failure {
  const char* name;
  Handler handler;
  GrpcStatus status;
  const char* outcome;
  const char* logged;
};

class Failures : public ::testing::TestWithParam<Failure> {};

TEST_P(Failures, EndTheStreamAndAreTold) {
  Fixture f(GetParam().handler);
  f.headers(Phase::request_headers, {{"x-request-id", "id-1"}});
  EXPECT_TRUE(f.sink.answers.empty());
  EXPECT_TRUE(f.sink.finished);
  EXPECT_EQ(f.sink.status, GetParam().status);
  EXPECT_EQ(f.observer.notes.back(), "< request_headers " + std::string(GetParam().outcome) + " 0");
  if (GetParam().logged != nullptr) {
    EXPECT_THAT(f.log, ElementsAre(GetParam().logged));
    EXPECT_EQ(f.counters.handler_failures.value(), 1U);
    EXPECT_THAT(f.sink.message, ::testing::Not(HasSubstr("secret")));
  } else {
    EXPECT_TRUE(f.log.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Failures,
    ::testing::Values(Failure{"Exception",
                              [](auto&) -> detail::Step { throw std::runtime_error("secret"); },
                              GrpcStatus::unknown, "failed",
                              "ERROR Test: request_headers failed for request id-1: secret"},
                      Failure{"NotAnException", [](auto&) -> detail::Step { throw 1; },
                              GrpcStatus::unknown, "failed",
                              "ERROR Test: request_headers failed for request id-1: something that "
                              "is not a std::exception"},
                      Failure{"Abort",
                              [](auto& invocation) {
                                invocation.context->abort(GrpcStatus::permission_denied, "no");
                                return detail::Step::done;
                              },
                              GrpcStatus::permission_denied, "aborted", nullptr}),
    [](const auto& tested) { return tested.param.name; });

TEST(ProcessStream, AnswersAtOnce) {
  const Handler respond = [](detail::Invocation& invocation) {
    invocation.headers_response->set_header("dropped", "1");
    invocation.headers_response->respond(form_immediate_response(401, {{"x-a", "1"}}, "who?"));
    return detail::Step::done;
  };
  // As one does that sends the request's headers back.
  const Handler stop = [](detail::Invocation&) -> detail::Step {
    throw StopRequestProcessing(
        form_immediate_response(401, {{"X-Chain", "Forged"}, {"x-a", "1"}}, "who?"));
  };
  for (const auto& handler : {respond, stop}) {
    Fixture f(handler, PhaseSet::all(), false, "x-chain");
    // What the caller says of the chain is not trusted.
    f.headers(Phase::request_headers, {{"x-chain", "Forged"}});
    ASSERT_EQ(f.sink.answers.size(), 1U);
    ASSERT_TRUE(f.sink.answers[0].immediate_response);
    EXPECT_EQ(f.sink.answers[0].immediate_response->status, 401);
    EXPECT_EQ(f.sink.answers[0].immediate_response->body, "who?");
    EXPECT_THAT(envoy_set_headers_to_dict(f.sink.answers[0]),
                ElementsAre(::testing::Pair("x-a", "1"), ::testing::Pair("x-chain", "Test")));
    EXPECT_TRUE(f.sink.finished);
    EXPECT_EQ(f.sink.status, GrpcStatus::ok);
    EXPECT_EQ(f.counters.immediate_responses.value(), 1U);
  }
}

struct Chain {
  HeaderList entries;
  const char* expected;
};

TEST(ProcessStream, AddsItsNameToTheChain) {
  const Chain table[] = {{{}, "Test"},
                         {{{"x-chain", "B,C"}}, "Test,B,C"},
                         {{{"x-chain", "B"}, {"x-chain", "C"}}, "Test,B,C"},
                         {{{"x-chain", ""}}, "Test"}};
  for (const PhaseSet handled : {PhaseSet{}, PhaseSet::all()}) {
    for (const auto& [entries, expected] : table) {
      Fixture f(nothing, handled, false, "x-chain");
      f.headers(Phase::request_headers, entries);
      f.headers(Phase::response_headers, entries);
      EXPECT_TRUE(f.sink.answers[0].header_mutation.empty());
      EXPECT_EQ(envoy_set_headers_to_dict(f.sink.answers[1]).at("x-chain"), expected);
    }
  }
}

TEST(ProcessStream, FinishesAfterAHalfClose) {
  Fixture f(nothing);
  f.body(Phase::request_body, "x");
  f.stream.on_half_close();
  EXPECT_TRUE(f.sink.finished);
  EXPECT_EQ(f.sink.status, GrpcStatus::ok);
  EXPECT_TRUE(f.stream.on_closed(GrpcStatus::ok, false));
  EXPECT_EQ(f.counters.streams_open.value(), 0U);
  EXPECT_EQ(f.counters.streams_failed.value(), 0U);
}

TEST(ProcessStream, HoldsMessagesBackWhileAHandlerIsSuspended) {
  detail::Completion* completion = nullptr;
  const HttpHeaders* data = nullptr;
  Fixture f(
      [&](detail::Invocation& invocation) {
        completion = invocation.completion;
        data = invocation.headers;
        invocation.headers_response->set_header("x-a", "1");
        return detail::Step::pending;
      },
      PhaseSet::all(), true);
  {
    const std::string message =
        testing::write_headers(Phase::request_headers, {{"name", "a value"}}, false, {});
    f.stream.on_message(message);
  }
  EXPECT_TRUE(f.sink.paused);
  EXPECT_TRUE(f.sink.answers.empty());
  // The message that it came from is gone.
  EXPECT_EQ(data->get_header("name"), "a value");
  f.stream.on_half_close();
  EXPECT_FALSE(f.sink.finished);
  completion->complete(nullptr);
  EXPECT_FALSE(f.sink.paused);
  ASSERT_EQ(f.sink.answers.size(), 1U);
  EXPECT_EQ(envoy_set_headers_to_dict(f.sink.answers[0]).at("x-a"), "1");
  EXPECT_TRUE(f.sink.finished);
}

TEST(ProcessStream, LivesUntilASuspendedHandlerReturns) {
  detail::Completion* completion = nullptr;
  Context* context = nullptr;
  Fixture f(
      [&](detail::Invocation& invocation) {
        completion = invocation.completion;
        context = invocation.context;
        return detail::Step::pending;
      },
      PhaseSet::all(), true);
  f.body(Phase::request_body, "x");
  EXPECT_FALSE(context->cancelled());
  EXPECT_FALSE(f.stream.on_closed(GrpcStatus::cancelled, true));
  EXPECT_TRUE(context->cancelled());
  EXPECT_EQ(f.sink.releases, 0);
  completion->complete(nullptr);
  EXPECT_EQ(f.sink.releases, 1);
  EXPECT_TRUE(f.sink.answers.empty());
  EXPECT_THAT(f.observer.notes,
              ElementsAre("begin Test", "> request_body", "< request_body cancelled 0",
                          "end CANCELLED cancelled 0"));
}

TEST(ProcessStream, TellsTheObserverOutcomesAndDurations) {
  fake_now = {};
  Fixture f([](detail::Invocation& invocation) {
    fake_now += std::chrono::nanoseconds(250);
    EXPECT_EQ(invocation.request->overhead().count(),
              invocation.phase == Phase::request_headers ? 0 : 250);
    if (invocation.phase == Phase::request_body) invocation.body_response->respond({.status = 400});
    return detail::Step::done;
  });
  f.headers(Phase::request_headers, {});
  f.body(Phase::request_body, "x");
  EXPECT_TRUE(f.stream.on_closed(GrpcStatus::cancelled, true));
  EXPECT_THAT(
      f.observer.notes,
      ElementsAre("begin Test", "> request_headers", "< request_headers answered 250",
                  "> request_body", "< request_body immediate 250", "end OK cancelled 500"));
}

TEST(ProcessStream, WarnsOnceOfASlowHandler) {
  Fixture f([](detail::Invocation&) {
    fake_now += std::chrono::milliseconds(11);
    return detail::Step::done;
  });
  f.headers(Phase::request_headers, {});
  f.headers(Phase::response_headers, {});
  EXPECT_THAT(f.log, ElementsAre(HasSubstr("11000 us")));
}

TEST(ProcessStream, LogsOneLineWhateverIsInIt) {
  Fixture f([](auto&) -> detail::Step { throw std::runtime_error("first\nsecond"); });
  f.headers(Phase::request_headers, {{"x-request-id", "id\r\nERROR forged"}});
  EXPECT_THAT(
      f.log, ElementsAre("ERROR Test: request_headers failed for request id\\x0d\\x0aERROR forged: "
                         "first\\x0asecond"));
}

TEST(ProcessStream, CanBeBegunAnew) {
  Fixture f([](detail::Invocation& invocation) {
    EXPECT_EQ(invocation.request->state<std::string>(), "");
    invocation.request->state<std::string>() = "used";
    invocation.context->abort(GrpcStatus::aborted);
    return detail::Step::done;
  });
  for (int i = 0; i < 3; ++i) {
    f.headers(Phase::request_headers, {{"x-request-id", std::to_string(i)}});
    EXPECT_TRUE(f.stream.on_closed(GrpcStatus::ok, false));
    f.stream.begin(f.sink);
  }
  EXPECT_EQ(f.counters.streams_started.value(), 4U);
  EXPECT_EQ(f.counters.streams_open.value(), 1U);
  EXPECT_EQ(f.counters.streams_failed.value(), 3U);
}

TEST(Context, TellsOfTheCall) {
  Fixture f([](detail::Invocation& invocation) {
    EXPECT_EQ(invocation.context->peer(), "10.0.0.1:1");
    EXPECT_EQ(invocation.context->metadata("x-key"), "value");
    EXPECT_EQ(invocation.context->metadata("none"), std::nullopt);
    EXPECT_EQ(invocation.context->metadata().size(), 1U);
    EXPECT_FALSE(invocation.context->cancelled());
    return detail::Step::done;
  });
  f.headers(Phase::request_headers, {});
  EXPECT_EQ(f.sink.answers.size(), 1U);
}

}  // namespace
}  // namespace extproc::stream
