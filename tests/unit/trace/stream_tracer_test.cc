#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "trace/stream_tracer_fixture.h"

namespace extproc::trace {
namespace {

using exchange::Traced;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST_F(StreamTracerTest, MakesATreeBelowTheCallsParent) {
  make();
  Stream stream;
  EXPECT_EQ(begin(stream, {{"x", "1"}, {"traceparent", kRecorded}, {"tracestate", "a=1"}}),
            Traced::yes);
  ASSERT_NE(stream.context.trace(), nullptr);
  const TraceContext process = *stream.context.trace();
  EXPECT_EQ(process.trace_id_text(), kTraceId);
  EXPECT_NE(process.span_id_text(), kParentId);
  EXPECT_TRUE(process.sampled());
  EXPECT_EQ(process.tracestate, "a=1");
  phase_begin(stream, Phase::request_headers);
  const std::string in_phase = stream.context.trace()->span_id_text();
  EXPECT_NE(in_phase, process.span_id_text());
  phase_end(stream, Phase::request_headers);
  EXPECT_EQ(stream.context.trace()->span_id, process.span_id);
  EXPECT_EQ(tracer_->trace_of(stream.request)->span_id, process.span_id);
  end(stream);
  EXPECT_EQ(stream.context.trace(), nullptr);
  EXPECT_EQ(tracer_->trace_of(stream.request), nullptr);

  const auto all = spans();
  ASSERT_EQ(all.size(), 2U);
  const DecodedSpan& phase = all[0];
  EXPECT_EQ(phase.name, "process.request_headers");
  EXPECT_EQ(phase.kind, 1);
  EXPECT_EQ(hex(phase.trace_id), kTraceId);
  EXPECT_EQ(hex(phase.span_id), in_phase);
  EXPECT_EQ(hex(phase.parent), process.span_id_text());
  EXPECT_EQ(phase.state, "a=1");
  EXPECT_EQ(phase.flags, 0x101U);
  EXPECT_THAT(phase.attributes, UnorderedElementsAre(Pair("extproc.processor", "Processor"),
                                                     Pair("extproc.phase", "request_headers"),
                                                     Pair("extproc.outcome", "answered")));
  const DecodedSpan& whole = all[1];
  EXPECT_EQ(whole.name, "process");
  EXPECT_EQ(whole.kind, 2);
  EXPECT_EQ(hex(whole.trace_id), kTraceId);
  EXPECT_EQ(hex(whole.span_id), process.span_id_text());
  EXPECT_EQ(hex(whole.parent), kParentId);
  EXPECT_EQ(whole.flags, 0x301U);
  EXPECT_THAT(whole.attributes,
              UnorderedElementsAre(
                  Pair("rpc.system.name", "grpc"),
                  Pair("rpc.method", "envoy.service.ext_proc.v3.ExternalProcessor/Process"),
                  Pair("rpc.response.status_code", "OK"), Pair("extproc.processor", "Processor")));
  EXPECT_LE(whole.start, phase.start);
  EXPECT_LE(phase.start, phase.end);
  EXPECT_LE(phase.end, whole.end);
  EXPECT_EQ(whole.status, 0);
}

TEST_F(StreamTracerTest, ElseTheParentIsThatOfTheHeaders) {
  make();
  Stream stream;
  EXPECT_EQ(begin(stream, {{"traceparent", "none"}}), Traced::undecided);
  EXPECT_EQ(stream.context.trace(), nullptr);
  EXPECT_TRUE(decide(stream, {{":path", "/"}, {"traceparent", kRecorded}}));
  EXPECT_EQ(stream.context.trace()->trace_id_text(), kTraceId);
  end(stream);
  const auto all = spans();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(hex(all[0].parent), kParentId);
}

TEST_F(StreamTracerTest, ElseItIsARoot) {
  make();
  Stream one;
  Stream other;
  EXPECT_EQ(begin(one), Traced::undecided);
  EXPECT_TRUE(decide(one));
  begin(other);
  EXPECT_TRUE(decide(other));
  EXPECT_NE(one.context.trace()->trace_id, other.context.trace()->trace_id);
  end(other);
  end(one);
  const auto all = spans();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].parent, "");
  EXPECT_EQ(all[0].flags, 0x101U);
}

TEST_F(StreamTracerTest, WhatIsNotRecordedIsPassedOn) {
  make();
  Stream stream;
  EXPECT_EQ(begin(stream, {{"traceparent", kNotRecorded}, {"tracestate", "a=1"}}), Traced::no);
  EXPECT_EQ(stream.context.trace()->traceparent(), kNotRecorded);
  EXPECT_EQ(stream.context.trace()->tracestate, "a=1");
  tracer_->violation(stream.request, whose_, Phase::request_body, Rule::header_denied);
  tracer_->immediate(stream.request, whose_, Phase::request_body, 403);
  end(stream);
  EXPECT_EQ(stream.context.trace(), nullptr);
  EXPECT_TRUE(spans().empty());
}

TEST_F(StreamTracerTest, ARootThatIsNotRecordedHasIdsAllTheSame) {
  make(TraceSampler::always_off);
  Stream stream;
  begin(stream);
  EXPECT_FALSE(decide(stream));
  const TraceContext trace = *stream.context.trace();
  EXPECT_TRUE(is_set(trace.trace_id));
  EXPECT_TRUE(is_set(trace.span_id));
  EXPECT_EQ(trace.flags, 0);
  end(stream);
  EXPECT_TRUE(spans().empty());
}

TEST_F(StreamTracerTest, ASamplerOfItsOwnMayRecordBelowWhatIsNot) {
  make(TraceSampler::always_on);
  Stream stream;
  EXPECT_EQ(begin(stream, {{"traceparent", kNotRecorded}}), Traced::yes);
  EXPECT_TRUE(stream.context.trace()->sampled());
  end(stream);
  EXPECT_EQ(spans().size(), 1U);
  make(TraceSampler::always_off);
  EXPECT_EQ(begin(stream, {{"traceparent", kRecorded}}), Traced::no);
  EXPECT_EQ(stream.context.trace()->traceparent(), kNotRecorded);
  end(stream);
}

TEST_F(StreamTracerTest, AStreamWithoutAMessageHasASpan) {
  make();
  Stream stream;
  begin(stream);
  end(stream, GrpcStatus::internal);
  const auto all = spans();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].status, 2);
}

}  // namespace
}  // namespace extproc::trace
