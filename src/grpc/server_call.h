#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "grpc/call.h"
#include "grpc/call_host.h"
#include "grpc/deadline_wheel.h"
#include "grpc/frame.h"
#include "grpc/inbox.h"
#include "grpc/metadata.h"
#include "grpc/outbox.h"
#include "http2/stream.h"

namespace extproc::grpc {

/// One call on one HTTP/2 stream: cuts its bytes into messages, frames the answers, ends it with a
/// status. Objects are used again for later calls of the connection.
///
/// A message that lies within one chunk of received bytes is delivered where it lies. Only what is
/// cut, or has to wait, is copied, into the inbox.
///
/// The stream's credit is given back as its bytes come, except from the moment when a complete
/// message waits: then the bytes behind it are withheld as well, until it has been delivered. So a
/// message larger than the window can always be completed, and a waiting call holds at most one
/// such message and one window.
class ServerCall final : public Call,
                         public http2::Stream,
                         public DeadlineWheel::Entry,
                         public CallHost::Hook {
 public:
  explicit ServerCall(CallHost& host) : host_(host) {}

  /// Begins a call. Ended already when no service has the path.
  void start(Metadata metadata, std::optional<Clock::time_point> deadline, std::string_view path,
             std::span<GrpcService* const> services);
  /// Ends it from this side, with what has not been written yet dropped; the handler hears `reason`
  /// at once.
  void terminate(CloseReason reason, GrpcStatus status, std::string_view message);
  /// The connection is gone.
  void lose();
  /// Delivers what waited, if nothing holds it back any more.
  void deliver();
  /// Null when it has been told of the end.
  const CallHandler* handler() const { return handler_; }

  std::string& begin_message() override;
  void end_message() override;
  void end_message_with(std::string tail) override;
  void finish(GrpcStatus status, std::string_view message) override;
  void pause() override { paused_ = true; }
  void resume() override;
  bool congested() const override {
    // Who writes on until told that the call is over is to wait for that.
    return over_limit_ || full();
  }
  void kept(std::ptrdiff_t bytes) override {
    host_.count(bytes);
    if (bytes > 0 && host_.over_limit()) keeps_too_much_ = true;
  }
  const Metadata& metadata() const override { return metadata_; }
  std::optional<Clock::time_point> deadline() const override {
    return deadline_ == kNever ? std::nullopt : std::optional(deadline_);
  }
  std::string_view peer() const override { return host_.peer; }
  const std::shared_ptr<const PeerCertificate>& peer_certificate() const override {
    return host_.peer_certificate;
  }
  std::string_view limit() const override {
    return status_message_ ? std::string_view(*status_message_) : std::string_view();
  }

  void on_data(std::string_view chunk) noexcept override;
  void on_end_stream() noexcept override;
  void on_end_sent() noexcept override { end_sent_ = true; }
  void on_stream_closed() noexcept override;
  Waiting prepare_output(std::size_t max) noexcept override;
  void write_output(http2::Output& out, std::size_t bytes) noexcept override;
  void on_deadline() noexcept override;

 private:
  static constexpr Clock::time_point kNever = Clock::time_point::max();

  bool full() const { return outbox_.pending() > host_.limits.queued_bytes_per_stream; }
  bool held() const { return paused_ || full() || host_.turn_over(); }
  void send_message();
  bool accept(const FramePrefix& prefix);
  void deliver_message(std::string_view message);
  std::string_view deliver_in_place(std::string_view chunk);
  std::string_view store(std::string_view chunk);
  void deliver_waiting();
  void wait_for_turn();
  void time_message(std::optional<Clock::time_point> end);
  /// Of the message that has begun, whose time counts anew from when those before it were
  /// delivered.
  void prolong_message();
  void deliver_half_close();
  void give_credit(std::size_t bytes);
  void refuse(GrpcStatus status, std::string_view message);
  void end(GrpcStatus status, std::string_view message);
  void send_status();
  void drop_input();
  void drop_output();
  void count_buffered() {
    const std::size_t buffered = inbox_.weight() + outbox_.weight();
    host_.count(static_cast<std::ptrdiff_t>(buffered) - static_cast<std::ptrdiff_t>(buffered_));
    buffered_ = buffered;
  }
  void tell_closed(CloseReason reason);

  CallHost& host_;
  CallHandler* handler_ = nullptr;
  Metadata metadata_;
  Inbox inbox_;
  Outbox outbox_;
  Clock::time_point deadline_ = kNever;
  std::unique_ptr<std::string> status_message_;  // encoded; few calls have one
  std::size_t buffered_ = 0;                     // as the host counts it
  std::uint32_t withheld_ = 0;                   // credit
  GrpcStatus status_ = GrpcStatus::ok;
  bool paused_ = false;
  bool writable_owed_ = false;  // congested, and the handler is to hear when it is not any more
  bool delivering_ = false;
  bool answer_owed_ = false;  // no answer since the last message, or none at all
  bool half_closed_ = false;
  bool half_close_told_ = false;
  bool responded_ = false;  // the response headers were sent
  bool ended_ = false;      // status_ is set
  bool keeps_too_much_ = false;
  bool over_limit_ = false;  // ended from this side while the handler could not be told
  bool end_sent_ = false;    // taken as output
};

}  // namespace extproc::grpc
