#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "trace/stream_tracer_fixture.h"

namespace extproc::trace {
namespace {

using detail::Access;
using exchange::Whose;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

TEST_F(StreamTracerTest, SaysHowAStreamEnded) {
  struct Row {
    GrpcStatus status;
    bool cancelled;
    bool owed;
    const char* code;
    bool error;
  };
  make();
  for (const Row& row : {Row{GrpcStatus::ok, false, false, "OK", false},
                         {GrpcStatus::cancelled, true, false, "OK", false},
                         {GrpcStatus::cancelled, true, true, "CANCELLED", false},
                         {GrpcStatus::unknown, false, false, "UNKNOWN", true},
                         {GrpcStatus::internal, false, false, "INTERNAL", true},
                         {GrpcStatus::unavailable, false, false, "UNAVAILABLE", true},
                         {GrpcStatus::permission_denied, false, false, "PERMISSION_DENIED", false},
                         {GrpcStatus::unauthenticated, true, false, "UNAUTHENTICATED", false}}) {
    Stream stream;
    begin(stream, {{"traceparent", kRecorded}});
    end(stream, row.status, row.cancelled, row.owed);
    const auto all = spans();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].attributes.at("rpc.response.status_code"), row.code);
    EXPECT_EQ(all[0].status, row.error ? 2 : 0) << row.code;
    EXPECT_EQ(all[0].attributes.contains("error.type"), row.error);
  }
}

TEST_F(StreamTracerTest, SaysHowAPhaseEnded) {
  make();
  for (const PhaseOutcome outcome :
       {PhaseOutcome::answered, PhaseOutcome::immediate, PhaseOutcome::aborted,
        PhaseOutcome::failed, PhaseOutcome::cancelled, PhaseOutcome::late}) {
    Stream stream;
    begin(stream, {{"traceparent", kRecorded}});
    phase_begin(stream, Phase::response_trailers);
    if (outcome == PhaseOutcome::immediate)
      tracer_->immediate(stream.request, whose_, Phase::response_trailers, 403);
    phase_end(stream, Phase::response_trailers, outcome);
    end(stream);
    const auto all = spans();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].name, "process.response_trailers");
    EXPECT_EQ(all[0].attributes.at("extproc.outcome"), to_string(outcome));
    EXPECT_EQ(all[0].status, outcome == PhaseOutcome::failed ? 2 : 0);
    for (const DecodedSpan& span : all) {
      if (outcome == PhaseOutcome::immediate) {
        EXPECT_EQ(span.attributes.at("extproc.immediate_status"), "403");
      } else {
        EXPECT_THAT(span.attributes, Not(Contains(Key("extproc.immediate_status"))));
      }
    }
  }
}

TEST_F(StreamTracerTest, BrokenRulesAreEvents) {
  make();
  Stream stream;
  begin(stream, {{"traceparent", kRecorded}});
  phase_begin(stream, Phase::request_headers);
  tracer_->violation(stream.request, whose_, Phase::request_headers, Rule::header_denied);
  phase_end(stream, Phase::request_headers);
  // Of what has no span of its own.
  for (int i = 0; i < 1000; ++i)
    tracer_->violation(stream.request, whose_, Phase::request_body, Rule::answered_too_late);
  end(stream);
  const auto all = spans();
  ASSERT_EQ(all.size(), 2U);
  ASSERT_EQ(all[0].events.size(), 1U);
  EXPECT_EQ(all[0].events[0].name, "extproc.rule");
  EXPECT_THAT(all[0].events[0].attributes,
              ElementsAre(Pair("extproc.rule", std::string(to_string(Rule::header_denied)))));
  EXPECT_GE(all[0].events[0].time, all[0].start);
  EXPECT_GT(all[1].events.size(), 10U);
  EXPECT_LT(all[1].events.size(), 100U);
}

TEST_F(StreamTracerTest, PhasesThatOverlapAreToldApart) {
  make();
  Stream stream;
  begin(stream, {{"traceparent", kRecorded}});
  const auto process = stream.context.trace()->span_id;
  phase_begin(stream, Phase::request_body);
  const auto body = stream.context.trace()->span_id;
  phase_begin(stream, Phase::response_headers);
  const auto headers = stream.context.trace()->span_id;
  phase_end(stream, Phase::request_body);
  EXPECT_EQ(stream.context.trace()->span_id, headers);
  phase_end(stream, Phase::response_headers);
  EXPECT_EQ(stream.context.trace()->span_id, process);
  EXPECT_NE(body, headers);
  end(stream);
  const auto all = spans();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "process.request_body");
  EXPECT_EQ(all[1].name, "process.response_headers");
  EXPECT_EQ(all[0].parent, all[2].span_id);
  EXPECT_EQ(all[1].parent, all[2].span_id);
}

TEST_F(StreamTracerTest, ProcessorsOfAChainAreBelowItsPhase) {
  make();
  Stream chain;
  const std::string names[] = {"First", "Second"};
  begin(chain, {{"traceparent", kRecorded}});
  phase_begin(chain, Phase::request_headers);
  for (const std::string& name : names) {
    Context context;
    Access::begin_beside(context, chain.context);
    const Whose link{.processor = name, .in_chain = true};
    tracer_->phase_begin(chain.request, context, link, Phase::request_headers);
    EXPECT_NE(context.trace()->span_id, chain.context.trace()->span_id);
    tracer_->phase_end(chain.request, context, link, Phase::request_headers,
                       PhaseOutcome::answered);
    EXPECT_EQ(context.trace()->span_id, tracer_->trace_of(chain.request)->span_id);
  }
  phase_end(chain, Phase::request_headers);
  // For a response that a processor made the chain has no phase.
  Context context;
  const Whose link{.processor = names[0], .in_chain = true};
  tracer_->phase_begin(chain.request, context, link, Phase::response_headers);
  tracer_->phase_end(chain.request, context, link, Phase::response_headers, PhaseOutcome::answered);
  end(chain);
  const auto all = spans();
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0].attributes.at("extproc.processor"), "First");
  EXPECT_EQ(all[1].attributes.at("extproc.processor"), "Second");
  EXPECT_EQ(all[2].attributes.at("extproc.processor"), "Processor");
  EXPECT_EQ(all[0].name, all[2].name);
  EXPECT_EQ(all[0].parent, all[2].span_id);
  EXPECT_EQ(all[1].parent, all[2].span_id);
  EXPECT_EQ(all[2].parent, all[4].span_id);
  EXPECT_EQ(all[3].parent, all[4].span_id);
}

TEST_F(StreamTracerTest, AStreamOfVeryManyPhasesHasABound) {
  make();
  Stream stream;
  begin(stream, {{"traceparent", kRecorded}});
  for (unsigned i = 0; i < StreamTracer::kMostPhases + 7; ++i) {
    phase_begin(stream, Phase::request_body);
    EXPECT_NE(stream.context.trace(), nullptr);
    phase_end(stream, Phase::request_body);
  }
  end(stream);
  const auto all = spans();
  ASSERT_EQ(all.size(), StreamTracer::kMostPhases + 1);
  EXPECT_EQ(all.back().attributes.at("extproc.phases_left_out"), "7");
}

TEST_F(StreamTracerTest, KeepsManyStreamsApart) {
  make();
  std::vector<std::unique_ptr<Stream>> streams;
  std::map<std::string, std::string> expected;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5000; ++i) {
      auto& stream = streams.emplace_back(std::make_unique<Stream>());
      begin(*stream);
      decide(*stream);
      EXPECT_TRUE(expected
                      .emplace(stream->context.trace()->span_id_text(),
                               stream->context.trace()->trace_id_text())
                      .second);
    }
    for (auto& stream : streams) end(*stream);
    streams.clear();
    for (const DecodedSpan& span : spans()) {
      ASSERT_EQ(expected.at(hex(span.span_id)), hex(span.trace_id));
      expected.erase(hex(span.span_id));
    }
    EXPECT_TRUE(expected.empty());
  }
}

}  // namespace
}  // namespace extproc::trace
