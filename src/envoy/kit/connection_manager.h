#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "envoy/kit/declared_length.h"
#include "envoy/kit/filter_host.h"
#include "envoy/kit/handshake.h"
#include "envoy/kit/pipe.h"
#include "envoy/kit/sender.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing::envoy {

/// Envoy around a filter: the caller, the upstream, the time, and the connection manager between
/// them. Which filter it is who derives from it says.
class ConnectionManager : public FilterHost, private PipeEnd {
 public:
  ConnectionManager(const ConnectionManager&) = delete;
  ConnectionManager& operator=(const ConnectionManager&) = delete;

  /// Once.
  EnvoyResult run();

 protected:
  /// All must outlive it.
  ConnectionManager(PipeFilter& filter, const EnvoyOptions& options, const Exchange& exchange);
  ~ConnectionManager() = default;

  // The filter's side.

  /// Does what the processor asks for next. Where it is at work it is waited for, for `most` at the
  /// longest, and time passes(); where `more` of the exchange is there, what only that can bring
  /// about in time is not. False where it asks for nothing.
  virtual bool take_from_processor(Time most, bool more) = 0;
  /// When something of the filter's comes by itself.
  virtual std::optional<Time> next_timer() const = 0;
  /// Time has passed.
  virtual void on_time() = 0;
  /// It keeps so much of a message that the sender is to be slowed down.
  virtual bool is_full(Side side) const = 0;
  /// The exchange is over; may be called again.
  virtual void destroy_filter() = 0;
  /// Everything that was started has ended.
  virtual void finish() = 0;

  // FilterHost
  Pipe& pipe(Side side) final { return side == Side::request ? request_ : response_; }
  Time now() const final { return now_; }
  void reply(const LocalReply& reply) final;
  void local_headers(HeaderMap headers, bool end) final;
  void local_data(std::string data, bool end) final;
  void local_trailers(HeaderMap trailers) final;
  void reset() final { reset_caller(); }
  void clear_route_cache() final { result_.route_cache_cleared = true; }
  const Exchange& exchange() const final { return exchange_; }
  std::string_view code_details() const final {
    if (result_.response_code_details.empty()) return "via_upstream";
    return result_.response_code_details;
  }

  EnvoyResult& result() { return result_; }
  const Pipe& pipe(Side side) const { return side == Side::request ? request_ : response_; }
  void pass(Time time) { now_ += time; }

 private:
  // PipeEnd, in connection_manager_ends.cc, with what becomes of the exchange there.
  void send_headers(Side side, const HeaderMap& headers, bool end) override;
  void send_data(Side side, const std::string& data, bool end) override;
  void send_trailers(Side side, const HeaderMap& trailers) override;
  bool can_continue(Side side) const override;
  void too_large(Side side) override;
  void end_handshake();
  void upstream_answers();
  std::optional<LocalReply> refused_on_the_way(const HeaderMap& request) const;
  void end_of_caller();
  void reset_caller();
  void reply_directly(const HeaderMap& headers, const std::string& body);

  DeclaredLength& length(Side side) {
    return side == Side::request ? request_length_ : response_length_;
  }
  Sender& sender(Side side) { return side == Side::request ? caller_ : upstream_; }
  const Sender& sender(Side side) const { return side == Side::request ? caller_ : upstream_; }
  bool step();
  bool ask_processor();
  bool take_piece(Side side);
  void arrive(Side side, Piece piece);
  void arrive_headers(Side side, HeaderMap headers, bool end);
  void arrive_data(Side side, std::string data, bool end);
  void break_off(Side side);
  void second_response(const HeaderMap& headers, bool end);
  /// When a sender's next piece comes that is not there yet.
  std::optional<Time> later(Side side) const;
  // Nothing is read of a message of which the filter keeps more than the limit.
  std::optional<Time> next_piece(Side side) const {
    return is_full(side) ? std::nullopt : sender(side).next_time();
  }
  bool is_ready(Side side) const { return sender(side).is_ready(now_) && !is_full(side); }
  bool wait();
  HeaderMap limited(HeaderMap headers) const;

  const EnvoyOptions& options_;
  const Exchange& exchange_;
  EnvoyResult result_;
  Pipe request_;
  Pipe response_;
  Time now_{0};
  /// The request's headers as they came: what it is does not change by what a processor makes of
  /// it.
  HeaderMap arrived_{HeaderKind::request, {}};
  /// As the upstream has them, whose response goes by them.
  HeaderMap asked_{HeaderKind::request, {}};
  Handshake handshake_;
  DeclaredLength request_length_;
  DeclaredLength response_length_;
  Sender caller_;
  Sender upstream_;
  /// No upstream gets the request.
  bool turned_away_ = false;
  bool upstream_answered_ = false;
  /// The response has begun, from the upstream or from Envoy itself.
  bool response_started_ = false;
  /// By the processor, piece by piece.
  bool answered_locally_ = false;
  /// Its last piece is in Envoy.
  bool response_complete_ = false;
  bool response_left_ = false;
  bool over_ = false;
};

}  // namespace extproc::testing::envoy
