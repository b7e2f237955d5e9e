#pragma once

#include <optional>
#include <string>

#include "envoy/kit/declared_length.h"
#include "envoy/kit/filter.h"
#include "envoy/kit/handshake.h"
#include "envoy/kit/peer.h"
#include "envoy/kit/pipe.h"
#include "envoy/kit/sender.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing::envoy {

using envoy_config::FilterConfig;

/// Envoy around the filter, the caller, the upstream, and the time.
class Simulation final : private FilterHost, private PipeEnd {
 public:
  /// All must outlive it.
  Simulation(const FilterConfig& config, const EnvoyOptions& options, const Exchange& exchange,
             ProcessorPeer& peer);

  EnvoyResult run();

 private:
  // FilterHost
  Pipe& pipe(Side side) override { return side == Side::request ? request_ : response_; }
  Time now() const override { return now_; }
  void open_stream() override;
  void send_message(std::string bytes) override;
  void close_stream() override;
  void reply(const LocalReply& reply) override;
  void local_headers(HeaderMap headers, bool end) override;
  void local_data(std::string data, bool end) override;
  void local_trailers(HeaderMap trailers) override;
  void clear_route_cache() override { result_.route_cache_cleared = true; }
  const Exchange& exchange() const override { return exchange_; }
  std::string_view code_details() const override {
    if (result_.response_code_details.empty()) return "via_upstream";
    return result_.response_code_details;
  }

  // PipeEnd
  void send_headers(Side side, const HeaderMap& headers, bool end) override;
  void send_data(Side side, const std::string& data, bool end) override;
  void send_trailers(Side side, const HeaderMap& trailers) override;
  bool can_continue(Side side) const override;
  void too_large(Side side) override;

  DeclaredLength& length(Side side) {
    return side == Side::request ? request_length_ : response_length_;
  }
  Sender& sender(Side side) { return side == Side::request ? caller_ : upstream_; }
  const Sender& sender(Side side) const { return side == Side::request ? caller_ : upstream_; }
  bool step();
  bool take_from_processor();
  bool take_piece(Side side);
  void arrive(Side side, Piece piece);
  void arrive_headers(Side side, HeaderMap headers, bool end);
  void arrive_data(Side side, std::string data, bool end);
  void break_off(Side side);
  void second_response(const HeaderMap& headers, bool end);
  std::optional<Time> next_time() const;
  /// When a sender's next piece comes that is not there yet.
  std::optional<Time> later(Side side) const;
  // Nothing is read of a message of which the filter keeps more than the limit.
  std::optional<Time> next_piece(Side side) const {
    return filter_.is_full(side) ? std::nullopt : sender(side).next_time();
  }
  bool is_ready(Side side) const { return sender(side).is_ready(now_) && !filter_.is_full(side); }
  bool wait();
  void end_handshake();
  void upstream_answers();
  std::optional<LocalReply> refused_on_the_way(const HeaderMap& request) const;
  void end_of_caller();
  void reset_caller();
  HeaderMap limited(HeaderMap headers) const;
  void reply_directly(const HeaderMap& headers, const std::string& body);

  const EnvoyOptions& options_;
  const Exchange& exchange_;
  ProcessorPeer& peer_;
  EnvoyResult result_;
  Filter filter_;
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
  bool stream_open_ = false;
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
