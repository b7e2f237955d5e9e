#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "grpc/call_host.h"
#include "grpc/call_pool.h"
#include "grpc/connection.h"
#include "grpc/metadata_builder.h"
#include "grpc/server_call.h"
#include "http2/session.h"
#include "http2/token_bucket.h"

namespace extproc::grpc {

/// Turns the requests of the HTTP/2 session into calls, and owns them.
class Connection::Impl final : public http2::SessionHandler, public CallHost {
 public:
  Impl(const Limits& limits, std::span<GrpcService* const> services, DeadlineWheel& deadlines,
       BufferPool& buffers, std::string peer, std::function<void()> on_output);
  ~Impl();

  bool receive(std::string_view bytes, Clock::time_point at);
  void take_output(http2::Output& out, std::size_t max);
  void give_back();
  void end_all(GrpcStatus status, std::string_view message);
  void visit_calls(const CallVisitor& visit) const;
  std::size_t held_bytes() const {
    return buffered() + session_.held_bytes() + session_.open_streams() * kCallBytes;
  }

  void on_request_begin() noexcept override { metadata_.begin(); }
  void on_request_header(std::string_view name, std::string_view value) noexcept override {
    metadata_.add(name, value);
  }
  void on_request() noexcept override { begin_call(metadata_.finish()); }
  void on_same_request() noexcept override { begin_call(metadata_.last()); }

  http2::Session& session() override { return session_; }
  void output_ready() override;
  void deliver_later(ServerCall& call) override;
  void deliver_next_turn(ServerCall& call) override;
  void tell_held() override;
  void begin_turn() override {
    if (!in_event) turn_spent = 0;
  }
  void count_owed_reset() override;
  void recycle(ServerCall& call) override { pool_.destroy(call); }

 private:
  friend class Connection;

  void begin_call(Metadata metadata);
  bool refuse(const CallHead& head);
  void deliver_ready();
  void ask_for_turn();
  template <class Action>
  void for_all_calls(const Action& action);

  /// What a call takes, with its stream and its handler's, roughly. It does not count against the
  /// connection's limit: that of its streams bounds it.
  static constexpr std::size_t kCallBytes = 800;
  static constexpr std::size_t kLeastTold = 2048;

  std::span<GrpcService* const> services_;
  std::function<void()> on_output_;
  http2::TokenBucket owed_resets_;
  MetadataBuilder metadata_;
  CallPool pool_;
  http2::Session session_;
  List open_;
  List ready_;            // can deliver what waited for output to be written
  List next_turn_;        // can deliver what others were to go before
  std::size_t told_ = 0;  // of what it holds
  bool output_told_ = false;
};

}  // namespace extproc::grpc
