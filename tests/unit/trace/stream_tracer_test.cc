#include "trace/stream_tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/access.h"
#include "extproc/context.h"
#include "extproc/request.h"
#include "trace/decode.h"
#include "trace/hex.h"

namespace extproc::trace {
namespace {

using detail::Access;
using exchange::Traced;
using exchange::Whose;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const std::string kTraceId = "0af7651916cd43dd8448eb211c80319c";
const std::string kParentId = "b7ad6b7169203331";
const std::string kRecorded = "00-" + kTraceId + "-" + kParentId + "-01";
const std::string kNotRecorded = "00-" + kTraceId + "-" + kParentId + "-00";

class Call final : public detail::CallInfo {
 public:
  std::vector<std::pair<std::string, std::string>> entries;

  std::string_view peer() const override { return {}; }
  std::optional<std::chrono::steady_clock::time_point> deadline() const override { return {}; }
  std::size_t metadata_size() const override { return entries.size(); }
  std::pair<std::string_view, std::string_view> metadata_at(std::size_t i) const override {
    return entries[i];
  }
};

std::string hex(const std::string& bytes) {
  std::string text(2 * bytes.size(), ' ');
  write_hex(text.data(), {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  return text;
}

class StreamTracerTest : public ::testing::Test {
 protected:
  /// One exchange, as its host has it.
  struct Stream {
    Call call;
    Request request;
    Context context;
  };

  void make(TraceSampler sampler = TraceSampler::parentbased_always_on, double ratio = 1) {
    tracer_.reset();
    TraceSettings settings;
    settings.sampler = sampler;
    settings.ratio = ratio;
    tracer_ = std::make_unique<StreamTracer>(queue_, settings, name_, 1);
  }
  Traced begin(Stream& stream, std::vector<std::pair<std::string, std::string>> metadata = {}) {
    stream.call.entries = std::move(metadata);
    Access::begin(stream.context, &stream.call, nullptr, false);
    return tracer_->begin(stream.request, stream.context);
  }
  bool decide(Stream& stream, const std::vector<Header>& headers = {}) {
    return tracer_->decide(stream.request, stream.context, headers);
  }
  void end(Stream& stream, GrpcStatus status = GrpcStatus::ok, bool cancelled = false,
           bool owed = false) {
    tracer_->end(stream.request, stream.context, status, cancelled, owed);
  }
  void phase_begin(Stream& stream, Phase phase) {
    tracer_->phase_begin(stream.request, stream.context, whose_, phase);
  }
  void phase_end(Stream& stream, Phase phase, PhaseOutcome outcome = PhaseOutcome::answered) {
    tracer_->phase_end(stream.request, stream.context, whose_, phase, outcome);
  }
  std::vector<DecodedSpan> spans() {
    std::vector<DecodedSpan> all;
    for (const auto& buffer : queue_.take()) {
      for (auto& span : decode_spans({buffer->bytes.data(), buffer->size}))
        all.push_back(std::move(span));
      queue_.done(*buffer);
    }
    return all;
  }

  const std::string name_ = "Processor";
  const Whose whose_{.processor = name_};
  SpanQueue queue_{{std::size_t{64} << 20, 0, 512}, [] {}};
  std::unique_ptr<StreamTracer> tracer_;
};

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
