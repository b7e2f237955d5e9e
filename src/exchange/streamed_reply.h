#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/pacer.h"
#include "extproc/headers.h"
#include "extproc/immediate_response.h"
#include "extproc/response.h"
#include "extproc/streamed_response.h"

namespace extproc::exchange {

class AnswerChecker;
class ProcessorExchange;

/// A response to the caller that a handler writes piece by piece: sent as it is written where Envoy
/// accepts that, else collected for an ImmediateResponse.
class StreamedReply final : public detail::StreamedResponseSink {
 public:
  /// All must outlive it. What `response` asks for besides leaves with the next piece.
  StreamedReply(ProcessorExchange& exchange, AnswerChecker& checker, PhaseResponse& response)
      : exchange_(exchange), checker_(checker), response_(response) {}

  /// The response is to be answered with, after the end; nothing when it was sent already.
  std::optional<ImmediateResponse> take_collected() { return std::move(collected_); }
  /// More was to be collected than may be, and nothing is.
  bool too_large() const { return too_large_; }
  /// What has been collected, in bytes.
  std::size_t collected_bytes() const { return collected_ ? collected_->body.capacity() : 0; }
  /// Of the head.
  int status() const { return status_; }
  /// The head was sent: no other answer is legal.
  bool begun() const { return begun_; }
  /// The stream is over, or was answered in another way: nothing is sent from now on.
  void close() { closed_ = true; }
  /// When the handler, which waits, has kept to its pace; nothing where it has none.
  std::optional<Pacer::Clock::time_point> resumes_at() const;
  /// Lets a handler go on that waits for the peer, where there is nothing to wait for any more.
  void wake();

  void head(int status, detail::HeaderPairs headers) override;
  void chunk(std::string_view bytes) override;
  void end(detail::HeaderPairs trailers) override;
  bool writable() override;
  void wait_writable(std::coroutine_handle<> handler) override;
  void set_pace(const Pace& pace) override { pacer_ = std::make_unique<Pacer>(pace); }
  void check_open() override;

 private:
  void leave_checked(std::vector<Header>& headers) const;
  /// The handler writes on a thread of its own, and is heard of when it returns.
  bool elsewhere() const;
  const ResponseExtras* extras() const;

  ProcessorExchange& exchange_;
  AnswerChecker& checker_;
  PhaseResponse& response_;
  std::optional<ImmediateResponse> collected_;
  std::unique_ptr<Pacer> pacer_;  // where the handler asked for one
  std::coroutine_handle<> waiting_;
  bool begun_ = false;
  bool all_head_ = false;  // it has no body
  bool too_large_ = false;
  bool closed_ = false;
  std::uint16_t status_ = 0;
};

}  // namespace extproc::exchange
