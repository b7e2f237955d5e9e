// Headers that the body decides, in a chain: each processor sees what those before it decided.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "extproc/async.h"
#include "extproc/chain.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"

namespace extproc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Envoy;
using testing::EnvoyResult;
using testing::Exchange;
using ::testing::IsEmpty;
using ::testing::Pair;

/// Adds to x-seen its name, and where `mark` stands in the body: "A", "A@3".
class Decides : public AsyncProcessor {
 public:
  Decides(std::string name, std::string mark, std::vector<std::string>& notes)
      : name_(std::move(name)), mark_(std::move(mark)), notes_(notes) {}
  std::string name() const override { return name_; }

  Task<> process_request_headers(const HttpHeaders& headers, Context&, Request&,
                                 HeadersResponse& r) override {
    note(headers);
    r.append_header("x-seen", name_);
    r.wait_for_body();
    co_return;
  }
  Task<> process_response_headers(const HttpHeaders& headers, Context&, Request&,
                                  HeadersResponse& r) override {
    note(headers);
    r.wait_for_body();
    co_return;
  }
  Task<> stream_request_body(BodyStream& body, Context&, Request&) override { return decide(body); }
  Task<> stream_response_body(BodyStream& body, Context&, Request&) override {
    return decide(body);
  }

 private:
  void note(const HttpHeaders& headers) {
    std::string text = name_ + " sees";
    for (const auto value : headers.values("x-seen")) text += " " + std::string(value);
    notes_.push_back(text);
  }
  Task<> decide(BodyStream& body) {
    std::string text;
    std::size_t at = std::string::npos;
    while (auto chunk = co_await body.read()) {
      text += chunk->bytes();
      at = text.find(mark_);
      if (at != std::string::npos) break;
    }
    if (at != std::string::npos) {
      body.response().append_header("x-seen", name_ + "@" + std::to_string(at));
      body.response().set_dynamic_metadata("seen", Struct().set(name_, static_cast<double>(at)));
      if (body.phase() == Phase::request_body) body.clear_route_cache();
    }
    body.write(text + name_);
  }

  std::string name_, mark_;
  std::vector<std::string>& notes_;
};

/// Changes headers alone; `waits`: after a while.
Service plain(const std::string& name, bool waits) {
  auto handlers = std::make_shared<Handlers>(name);
  if (waits) {
    handlers->process<Phase::request_headers>(
        [name](auto&, Context& context, auto&, auto& r) -> Task<> {
          co_await boost::asio::post(executor(context), boost::asio::deferred);
          r.append_header("x-seen", name);
        });
  } else {
    handlers->process<Phase::request_headers>(
        [name](auto&, auto&, auto&, auto& r) { r.append_header("x-seen", name); });
  }
  return Service(handlers);
}

const char* const kModes[] = {
    "message_timeout: 10s\n"
    "metadata_options: {receiving_namespaces: {untyped: [seen]}}\n"
    "processing_mode: {request_body_mode: FULL_DUPLEX_STREAMED, response_body_mode: "
    "FULL_DUPLEX_STREAMED, request_trailer_mode: SEND, response_trailer_mode: SEND}",
    "message_timeout: 10s\n"
    "metadata_options: {receiving_namespaces: {untyped: [seen]}}\n"
    "send_body_without_waiting_for_header_response: true\n"
    "processing_mode: {request_body_mode: STREAMED, response_body_mode: STREAMED, "
    "request_trailer_mode: SEND, response_trailer_mode: SEND}"};

class ChainDecidedByBodies : public ::testing::TestWithParam<std::tuple<const char*, bool>> {
 protected:
  Service decides(const std::string& name, const std::string& mark) {
    return Service::make<Decides>(name, mark, notes);
  }
  EnvoyResult run(Chain chain, bool response_too = false) const {
    Exchange exchange{.request = {.headers = {{":method", "POST"}}, .body = {"1", "2", "3", "4"}},
                      .upstream = {}};
    if (trailers()) exchange.request.trailers = testing::HeaderList{{"x-t", "1"}};
    if (response_too) exchange.upstream.body = {"5", "6"};
    return Envoy(std::get<0>(GetParam())).run(chain, exchange);
  }
  bool trailers() const { return std::get<1>(GetParam()); }
  static std::string seen(const EnvoyResult& result) {
    std::string all;
    for (const auto& [name, value] : result.upstream.headers) {
      if (name == "x-seen") all += value + " ";
    }
    return all;
  }

  std::vector<std::string> notes;
};

TEST_P(ChainDecidedByBodies, GoFromOneToTheNext) {
  const auto result = run(Chain({decides("A", "2"), decides("B", "3"), decides("C", "A")}), true);
  EXPECT_EQ(seen(result), "A A@1 B B@3 C C@2 ");
  EXPECT_EQ(notes.at(0), "A sees");
  EXPECT_EQ(notes.at(1), "B sees A A@1");
  EXPECT_EQ(notes.at(2), "C sees A A@1 B B@3");
  EXPECT_THAT(result.refusals, IsEmpty());
  EXPECT_THAT(result.violations, IsEmpty());
  // Each writes what it read, its name, and then the rest.
  EXPECT_EQ(result.upstream.body, "12A3BC4");
  EXPECT_EQ(result.caller.body, "56CBA");
  EXPECT_EQ(result.upstream.trailers.has_value(), trailers());
  EXPECT_EQ(result.dynamic_metadata.size(), 1U);
}

TEST_P(ChainDecidedByBodies, PassThoseThatHaveNoBody) {
  for (const bool waits : {false, true}) {
    notes.clear();
    const auto result =
        run(Chain({plain("P", waits), decides("A", "2"), plain("Q", waits), decides("B", "3")}));
    EXPECT_EQ(seen(result), "P A A@1 Q B B@3 ");
    EXPECT_THAT(notes, Contains("B sees P A A@1 Q"));
    EXPECT_EQ(result.upstream.body, "12A3B4");
    EXPECT_THAT(result.refusals, IsEmpty());
    EXPECT_THAT(result.violations, IsEmpty());
  }
}

TEST_P(ChainDecidedByBodies, OneThatAnswersTakesTheirPlace) {
  class Refuses : public AsyncProcessor {
   public:
    std::string name() const override { return "R"; }
    Task<> process_request_headers(const HttpHeaders&, Context&, Request&,
                                   HeadersResponse& r) override {
      r.wait_for_body();
      co_return;
    }
    Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
      const auto chunk = co_await body.read();
      if (chunk) body.response().respond(form_immediate_response(403, {}, "no"));
    }
  };
  const auto result = run(Chain({decides("A", "2"), Service::make<Refuses>(), decides("C", "3")}));
  EXPECT_EQ(result.caller.status, 403);
  EXPECT_FALSE(result.upstream.reached);
  // What A said with its headers counts, as from a filter of its own.
  ASSERT_EQ(result.dynamic_metadata.size(), 1U);
  EXPECT_THAT(result.refusals, IsEmpty());
}

// What another put in the message's place decides as well.
TEST_P(ChainDecidedByBodies, OfAMessageThatWasReplaced) {
  Handlers replaces("R");
  replaces.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& r) { r.continue_and_replace("new"); });
  const auto result = run(Chain({Service(replaces), decides("A", "w"), decides("B", "A")}));
  EXPECT_EQ(seen(result), "A A@2 B B@3 ");
  EXPECT_EQ(result.upstream.body, "newAB");
  EXPECT_THAT(result.refusals, IsEmpty());
  EXPECT_THAT(result.violations, IsEmpty());
}

TEST_P(ChainDecidedByBodies, OfAMessageThatWasReplacedByNothing) {
  Handlers replaces("R");
  replaces.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& r) { r.continue_and_replace(""); });
  const auto result = run(Chain({Service(replaces), decides("A", "w"), plain("P", true)}));
  EXPECT_EQ(seen(result), "A P ");
  EXPECT_EQ(result.upstream.body, "");
  EXPECT_THAT(result.violations, IsEmpty());
}

TEST_P(ChainDecidedByBodies, OfALocalReply) {
  Handlers denies("D");
  denies.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& r) { r.respond(form_immediate_response(403, {}, "no")); });
  const auto result = run(Chain({decides("A", "o"), Service(denies)}));
  EXPECT_EQ(result.caller.status, 403);
  EXPECT_EQ(result.caller.body, "noA");
  EXPECT_THAT(result.caller.headers, Contains(Pair("x-seen", "A@1")));
}

/// Makes a response with a body one that has none, when it has seen that.
class Empties final : public AsyncProcessor {
 public:
  std::string name() const override { return "E"; }
  Needs needs() const override { return {.response_headers_wait_for_body = true}; }
  Task<> stream_response_body(BodyStream& body, Context&, Request&) override {
    const auto first = co_await body.read();
    body.response().set_header(":status", "204");
    if (first) body.write(first->bytes());
  }
};

TEST(ChainDecidedByABody, ThatHttpThenDoesNotHave) {
  const Envoy envoy(kModes[0]);
  const Exchange exchange{.request = {.headers = {{":method", "GET"}}},
                          .upstream = {.body = {"5", "6"}}};
  std::vector<std::string> notes;
  const Service empties = Service::make<Empties>();
  const auto passes = Service::make<Decides>("A", "none", notes);
  Chain chains[] = {Chain({empties}), Chain({empties, passes}), Chain({passes, empties}),
                    Chain({empties, plain("P", true)}), Chain({plain("P", false), empties})};
  for (Chain& chain : chains) {
    const auto result = envoy.run(chain, exchange);
    EXPECT_EQ(result.caller.status, 204);
    EXPECT_EQ(result.caller.body, "");
    EXPECT_THAT(result.refusals, IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, ChainDecidedByBodies,
                         ::testing::Combine(::testing::ValuesIn(kModes), ::testing::Bool()));

}  // namespace
}  // namespace extproc
