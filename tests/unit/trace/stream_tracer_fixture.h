#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/access.h"
#include "extproc/context.h"
#include "extproc/request.h"
#include "trace/decode.h"
#include "trace/hex.h"
#include "trace/stream_tracer.h"

namespace extproc::trace {

inline const std::string kTraceId = "0af7651916cd43dd8448eb211c80319c";
inline const std::string kParentId = "b7ad6b7169203331";
inline const std::string kRecorded = "00-" + kTraceId + "-" + kParentId + "-01";
inline const std::string kNotRecorded = "00-" + kTraceId + "-" + kParentId + "-00";

/// Of which the metadata are given.
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

inline std::string hex(const std::string& bytes) {
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
  exchange::Traced begin(Stream& stream,
                         std::vector<std::pair<std::string, std::string>> metadata = {}) {
    stream.call.entries = std::move(metadata);
    detail::Access::begin(stream.context, &stream.call, nullptr, false);
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
  const exchange::Whose whose_{.processor = name_};
  SpanQueue queue_{{std::size_t{64} << 20, 0, 512}, [] {}};
  std::unique_ptr<StreamTracer> tracer_;
};

}  // namespace extproc::trace
