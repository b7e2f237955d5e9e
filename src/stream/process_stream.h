#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/host.h"
#include "stream/flow_control.h"
#include "stream/reply_sink.h"
#include "wire/request_reader.h"

namespace extproc::stream {

/// What all streams of one processor on one thread share.
struct Streams {
  /// Must outlive it.
  host::Host& host;
  /// The headers of the message that is being read.
  std::vector<Header> read_headers{};
};

/// One ext_proc stream: an exchange whose messages are serialised ProcessingRequests, and whose
/// answers are serialised ProcessingResponses, sent when the client's flow control lets them go.
class ProcessStream final : private host::AnswerSink {
 public:
  /// Both must outlive it.
  ProcessStream(Streams& streams, ReplySink& sink)
      : streams_(streams), sink_(sink), exchange_(streams.host.make_exchange(*this, sink)) {}

  /// `info` must live until the stream is closed and released.
  void begin(const detail::CallInfo& info) { exchange_->begin(info); }

  /// A serialised ProcessingRequest; never while the sink is paused. `bytes` need not outlive the
  /// call.
  void on_message(std::string_view bytes);
  /// No message follows.
  void on_half_close() { exchange_->on_end(); }
  /// The sink is not congested any more.
  void on_writable() { exchange_->on_writable(); }
  /// The time of ReplySink::wake_at has come.
  void on_wake() { exchange_->on_wake(); }
  const host::Exchange& exchange() const { return *exchange_; }
  /// As Exchange::on_closed.
  bool on_closed(GrpcStatus status, bool cancelled, std::string_view why = {}) {
    if (flow_ != nullptr) drop_flow();
    return exchange_->on_closed(status, cancelled, why);
  }

 private:
  void headers(Phase phase, const HttpHeaders& message, const HeadersResponse& answer) override;
  void body(Phase phase, const HttpBody& message, BodyResponse& answer) override;
  void trailers(Phase phase, const HttpTrailers& message, const TrailersResponse& answer) override;
  void piece(Phase phase, const HttpBody& piece, const ResponseExtras* extras) override;
  void reply(Phase phase, const ImmediateResponse& response, const ResponseExtras* extras) override;
  void reply_head(std::span<const Header> headers, const ResponseExtras* extras) override;
  void reply_chunk(std::string_view bytes, const ResponseExtras* extras) override;
  void reply_end(std::span<const Header> trailers, const ResponseExtras* extras) override;
  void ask_for_time(std::chrono::milliseconds time) override;
  void consumed(Phase phase, std::size_t bytes) override;
  bool congested(Phase phase) const override {
    return sink_.congested() || (flow_ != nullptr && flow_->holds(phase));
  }
  std::size_t held_bytes() const override { return flow_ == nullptr ? 0 : flow_->held_bytes(); }

  void take(std::string_view bytes);
  void drop_flow();
  void note_windows(const wire::RequestMessage& message);
  bool holding() const { return flow_ != nullptr && flow_->holding(); }
  std::string& begin_message(Phase phase, std::size_t body_bytes);
  void end_message() {
    if (!holding()) return sink_.end_message();
    flow_->held();
    sink_.kept(flow_->change());
  }
  void end_reply(std::string& out, const ResponseExtras* extras);

  Streams& streams_;
  ReplySink& sink_;
  std::unique_ptr<host::Exchange> exchange_;
  std::unique_ptr<FlowControl> flow_;
};

}  // namespace extproc::stream
