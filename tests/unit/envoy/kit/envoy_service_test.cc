// The processor's side of the kit's Envoy: it is told what the filter says, gets every message, and
// what it breaks is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "envoy/kit/filter_yaml.h"
#include "extproc/async.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

std::vector<std::string> fields_of(const EnvoyResult& result, Rule rule) {
  std::vector<std::string> fields;
  for (const Violation& violation : result.violations)
    if (violation.rule == rule) fields.push_back(violation.field);
  return fields;
}

class Denied : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    response.set_header("host", "other.example");
    response.set_header("x-envoy-retry-on", "5xx");
  }
};

TEST(EnvoyService, TellsWhichRulesAnAnswerBroke) {
  Denied processor;
  const auto result = Envoy("").run(processor, {});
  ASSERT_EQ(result.violations.size(), 2U);
  EXPECT_EQ(result.violations[0].phase, Phase::request_headers);
  EXPECT_THAT(fields_of(result, Rule::header_denied), ElementsAre("host", "x-envoy-retry-on"));
}

TEST(EnvoyService, WhatTheMutationRulesAllowIsNoViolation) {
  Denied processor;
  const auto routing = Envoy("mutation_rules: {allow_all_routing: true}").run(processor, {});
  EXPECT_EQ(*routing.upstream_header(":authority"), "other.example");
  EXPECT_THAT(fields_of(routing, Rule::header_denied), ElementsAre("x-envoy-retry-on"));

  const auto envoy = Envoy("mutation_rules: {allow_envoy: true}").run(processor, {});
  EXPECT_EQ(*envoy.upstream_header("x-envoy-retry-on"), "5xx");
  EXPECT_THAT(fields_of(envoy, Rule::header_denied), ElementsAre("host"));

  const auto both = Envoy("mutation_rules: {allow_all_routing: true, allow_envoy: true}");
  EXPECT_THAT(both.run(processor, {}).violations, IsEmpty());
}

class WaitsFor : public AsyncProcessor {
 public:
  explicit WaitsFor(std::chrono::milliseconds time) : time_(time) {}
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse&) override {
    boost::asio::steady_timer timer(executor(context), time_);
    co_await timer.async_wait(boost::asio::deferred);
  }

 private:
  std::chrono::milliseconds time_;
};

TEST(EnvoyService, MoreTimeIsAskedForWhereTheFilterHasSome) {
  WaitsFor processor(400ms);
  EXPECT_EQ(Envoy("message_timeout: 0.2s").run(processor, {}).caller.status, 504);
  const auto result = Envoy("{message_timeout: 0.2s, max_message_timeout: 4s}").run(processor, {});
  EXPECT_EQ(result.caller.status, 200);
  EXPECT_EQ(result.statistic("override_message_timeout_received"), 1U);
}

TEST(EnvoyService, SettingsAreTheFilters) {
  const auto settings = [](std::string_view filter) {
    return envoy_config::filter_settings(envoy::read_filter_config(filter));
  };
  const FilterSettings defaults = settings("");
  EXPECT_EQ(defaults.message_timeout, FilterSettings{}.message_timeout);
  EXPECT_EQ(defaults.max_message_timeout, FilterSettings{}.max_message_timeout);
  EXPECT_FALSE(defaults.allow_all_routing);
  EXPECT_FALSE(defaults.allow_envoy);

  EXPECT_EQ(settings("message_timeout: 1.5s").message_timeout, 1500ms);
  EXPECT_EQ(settings("max_message_timeout: 2s").max_message_timeout, 2s);
  EXPECT_EQ(settings("max_message_timeout: 0.1s").max_message_timeout, 0s);
  EXPECT_TRUE(settings("mutation_rules: {allow_all_routing: true}").allow_all_routing);
  EXPECT_TRUE(settings("mutation_rules: {allow_envoy: true}").allow_envoy);
  EXPECT_FALSE(defaults.allow_content_length_header || defaults.allow_mode_override);
  EXPECT_TRUE(settings("allow_content_length_header: true").allow_content_length_header);
  const FilterSettings overrides = settings(
      "{allow_mode_override: true, allowed_override_modes: [{response_body_mode: STREAMED}]}");
  EXPECT_TRUE(overrides.allow_mode_override);
  ASSERT_EQ(overrides.allowed_override_modes.size(), 1U);
  EXPECT_EQ(overrides.allowed_override_modes[0].response_body_mode, BodySendMode::streamed);
  // The library knows nothing of expressions.
  EXPECT_FALSE(settings("mutation_rules: {allow_expression: {regex: .*}}").allow_envoy);
}

// Notes what it was given.
class Observes : public AsyncProcessor {
 public:
  explicit Observes(std::chrono::milliseconds wait) : wait_(wait) {}

  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse&) override {
    co_await note(context, "request_headers");
  }
  Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
    while (auto chunk = co_await body.read()) request_body.append(chunk->body());
  }
  Task<> process_response_headers(const HttpHeaders&, Context& context, Request&,
                                  HeadersResponse&) override {
    co_await note(context, "response_headers");
  }
  Task<> stream_response_body(BodyStream& body, Context&, Request&) override {
    while (auto chunk = co_await body.read()) response_body.append(chunk->body());
  }
  Task<> process_response_trailers(const HttpTrailers&, Context& context, Request&,
                                   TrailersResponse&) override {
    co_await note(context, "response_trailers");
  }

  std::vector<std::string> phases;
  std::string request_body;
  std::string response_body;

 private:
  Task<> note(Context& context, const char* phase) {
    if (wait_ > 0ms) {
      boost::asio::steady_timer timer(executor(context), wait_);
      co_await timer.async_wait(boost::asio::deferred);
    }
    phases.emplace_back(phase);
  }

  std::chrono::milliseconds wait_;
};

constexpr const char* kObserving =
    "{observability_mode: true, processing_mode: {request_body_mode: STREAMED, "
    "response_body_mode: STREAMED, response_trailer_mode: SEND}";

const Exchange kExchange{
    .request = {.body = {"one", "two"}},
    .upstream = {.body = {"three", "four"}, .trailers = HeaderList{{"x-end", "1"}}}};

TEST(EnvoyService, AnObserverGetsEveryMessage) {
  for (const auto wait : {0ms, 5ms}) {
    for (const Pacing pacing : {Pacing::one_by_one, Pacing::together}) {
      Observes processor(wait);
      Exchange exchange = kExchange;
      exchange.request_pacing = exchange.upstream_pacing = pacing;
      const auto result = Envoy(std::string(kObserving) + "}").run(processor, exchange);
      EXPECT_EQ(result.statistic("stream_msgs_sent"), 7U);
      EXPECT_THAT(processor.phases,
                  ElementsAre("request_headers", "response_headers", "response_trailers"));
      EXPECT_EQ(processor.request_body, "onetwo");
      EXPECT_EQ(processor.response_body, "threefour");
      EXPECT_THAT(result.log, IsEmpty());
    }
  }
}

TEST(EnvoyService, WhatAnObserverBreaksIsSeenBeforeTheNextPiece) {
  class Throws : public Processor {
   public:
    bool blocking() const override { return true; }
    void process_request_headers(const HttpHeaders&, Context&, Request&,
                                 HeadersResponse&) override {
      throw std::runtime_error("boom");
    }
  };
  Throws processor;
  const auto result = Envoy(std::string(kObserving) + "}").run(processor, kExchange);
  EXPECT_EQ(result.statistic("streams_failed"), 1U);
  EXPECT_EQ(result.statistic("stream_msgs_sent"), 1U);
}

// Takes its time over the last message alone.
class Lingers : public AsyncProcessor {
 public:
  Task<> process_response_trailers(const HttpTrailers&, Context& context, Request&,
                                   TrailersResponse&) override {
    boost::asio::steady_timer timer(executor(context), 2s);
    co_await timer.async_wait(boost::asio::deferred);
    done = true;
  }

  bool done = false;
};

TEST(EnvoyService, AnObserverHasUntilTheDeferredClose) {
  Lingers processor;
  const auto before = std::chrono::steady_clock::now();
  const auto result =
      Envoy(std::string(kObserving) + ", deferred_close_timeout: 0.05s}").run(processor, kExchange);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1900ms);
  EXPECT_EQ(result.caller.status, 200);
  EXPECT_FALSE(processor.done);
}

}  // namespace
}  // namespace extproc::testing
