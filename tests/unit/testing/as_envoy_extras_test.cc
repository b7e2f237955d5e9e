// What an answer carries besides the changes of its phase.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>

#include "extproc/async.h"
#include "extproc/extproc.h"
#include "extproc/testing.h"

namespace extproc::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using namespace std::chrono_literals;

template <class Handler>
ProcessResult answer_headers(Handler handler, StreamOptions options = {}) {
  Handlers handlers{"Tested"};
  handlers.process<Phase::request_headers>(
      [&](auto& headers, auto& context, auto& request, auto& response) {
        handler(headers, context, request, response);
      });
  return AsEnvoyExtProc({.request_headers = envoy_headers({{":method", "GET"}})},
                        std::move(options))
      .process(handlers);
}

TEST(AsEnvoyExtras, AreEmptyWhereNothingWasSaid) {
  const auto result = answer_headers([](auto&, auto&, auto&, auto&) {});
  const ResponseExtras& extras = result.responses.at(0).extras;
  EXPECT_THAT(extras.dynamic_metadata, IsEmpty());
  EXPECT_THAT(extras.typed_dynamic_metadata, IsEmpty());
  EXPECT_FALSE(extras.mode_override);
  EXPECT_FALSE(extras.drain_requests);
  EXPECT_FALSE(extras.drain_responses);
  EXPECT_FALSE(result.streamed_response);
  EXPECT_THAT(result.time_extensions, IsEmpty());
}

TEST(AsEnvoyExtras, DynamicMetadata) {
  const auto result = answer_headers([](auto&, auto&, auto&, auto& response) {
    response.set_dynamic_metadata(
        "com.example", Struct()
                           .set("text", "blue")
                           .set("number", 0.5)
                           .set("flag", true)
                           .set("null", nullptr)
                           .set("inner", Struct().set("deep", "yes"))
                           .set("list", List().append("one").append(Struct().set("two", 2))));
    response.set_typed_dynamic_metadata("com.typed", "type.googleapis.com/a.B", "\x08\x01");
  });
  const ResponseExtras& extras = result.responses.at(0).extras;
  ASSERT_EQ(extras.dynamic_metadata.size(), 1U);
  EXPECT_EQ(extras.dynamic_metadata[0].first, "com.example");
  const StructView fields = extras.dynamic_metadata[0].second.view();
  EXPECT_EQ(fields.find("text")->string(), "blue");
  EXPECT_EQ(fields.find("number")->number(), 0.5);
  EXPECT_EQ(fields.find("flag")->boolean(), true);
  EXPECT_TRUE(fields.find("null")->is_null());
  EXPECT_EQ(fields.find("inner")->object()->find("deep")->string(), "yes");
  const auto list = *fields.find("list")->list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].string(), "one");
  EXPECT_EQ(list[1].object()->find("two")->number(), 2);

  ASSERT_EQ(extras.typed_dynamic_metadata.size(), 1U);
  EXPECT_EQ(extras.typed_dynamic_metadata[0].name, "com.typed");
  EXPECT_EQ(extras.typed_dynamic_metadata[0].type_url, "type.googleapis.com/a.B");
  EXPECT_EQ(extras.typed_dynamic_metadata[0].value, "\x08\x01");
}

TEST(AsEnvoyExtras, ModeOverride) {
  const auto result = answer_headers([](auto&, auto&, auto&, auto& response) {
    response.override_mode({.response_header_mode = HeaderSendMode::skip,
                            .request_body_mode = BodySendMode::buffered,
                            .response_trailer_mode = HeaderSendMode::send});
  });
  EXPECT_EQ(result.responses.at(0).extras.mode_override,
            (ModeOverride{.response_header_mode = HeaderSendMode::skip,
                          .request_body_mode = BodySendMode::buffered,
                          .response_body_mode = BodySendMode::none,
                          .response_trailer_mode = HeaderSendMode::send}));
}

TEST(AsEnvoyExtras, Drains) {
  const auto drained = [](bool requests, bool responses) {
    const auto result = answer_headers([=](auto&, auto&, auto&, auto& response) {
      if (requests) response.request_drain_requests();
      if (responses) response.request_drain_responses();
    });
    const ResponseExtras& extras = result.responses.at(0).extras;
    return std::pair(extras.drain_requests, extras.drain_responses);
  };
  EXPECT_THAT(drained(true, false), Pair(true, false));
  EXPECT_THAT(drained(false, true), Pair(false, true));
  EXPECT_THAT(drained(true, true), Pair(true, true));
}

TEST(AsEnvoyExtras, ImmediateResponseIsWhole) {
  const auto result = answer_headers([](auto&, auto&, auto&, auto& response) {
    response.respond({.status = 403,
                      .headers = {{"x-why", "no"}},
                      .body = "no",
                      .details = "denied",
                      .grpc_status = GrpcStatus::permission_denied,
                      .removed_headers = {"x-gone"}});
    response.set_dynamic_metadata("com.example", Struct().set("denied", true));
  });
  const ImmediateResponse* immediate = result.immediate_response();
  ASSERT_NE(immediate, nullptr);
  EXPECT_EQ(immediate->grpc_status, GrpcStatus::permission_denied);
  EXPECT_EQ(immediate->details, "denied");
  EXPECT_THAT(immediate->removed_headers, ElementsAre("x-gone"));
  EXPECT_THAT(result.responses[0].extras.dynamic_metadata, ::testing::SizeIs(1));
}

TEST(AsEnvoyExtras, ResponseInPieces) {
  const auto result = answer_headers([](auto&, auto&, auto&, auto& response) {
    auto& reply = response.respond_streaming(201, {{"x-kind", "pieces"}});
    reply.write("one");
    reply.write("two");
    reply.finish({{"x-end", "1"}});
  });
  ASSERT_TRUE(result.streamed_response);
  EXPECT_THAT(result.streamed_response->headers,
              ElementsAre(Pair(":status", "201"), Pair("x-kind", "pieces"),
                          Pair("x-ext-procs-applied", "Tested")));
  EXPECT_THAT(result.streamed_response->chunks, ElementsAre("one", "two"));
  EXPECT_EQ(result.streamed_response->trailers, (HeaderList{{"x-end", "1"}}));
  EXPECT_TRUE(result.streamed_response->complete);
  EXPECT_THAT(result.responses, IsEmpty());
}

class Waits : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse&) override {
    boost::asio::steady_timer timer(executor(context), 60ms);
    co_await timer.async_wait(boost::asio::deferred);
  }
};

TEST(AsEnvoyExtras, TimeThatWasAskedFor) {
  Waits processor;
  const Phases phases{.request_headers = envoy_headers({{":method", "GET"}})};
  const auto result =
      AsEnvoyExtProc(phases, {.filter = {.message_timeout = 40ms, .max_message_timeout = 3s}})
          .process(processor);
  EXPECT_THAT(result.time_extensions, ElementsAre(3s));
  EXPECT_EQ(result.responses.size(), 1U);
}

TEST(AsEnvoyExtras, TheFilterIsTheProcessors) {
  const auto set_host = [](auto&, auto&, auto&, auto& response) {
    response.set_header("host", "other");
  };
  EXPECT_EQ(answer_headers(set_host).violations.size(), 1U);
  EXPECT_THAT(answer_headers(set_host, {.filter = {.allow_all_routing = true}}).violations,
              IsEmpty());
}

}  // namespace
}  // namespace extproc::testing
