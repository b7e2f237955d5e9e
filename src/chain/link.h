#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/queue.h"
#include "chain/message_headers.h"
#include "exchange/environment.h"
#include "exchange/kept_message.h"
#include "exchange/processor_exchange.h"
#include "exchange/reporter.h"
#include "exchange/watch.h"
#include "extproc/host.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"

namespace extproc::chain {

class ChainExchange;

/// What a processor of a chain has around it on one thread.
struct LinkSurroundings {
  explicit LinkSurroundings(exchange::Environment& chain, std::size_t link);

  /// Null where nobody looks on.
  std::unique_ptr<exchange::Watch> watch;
  exchange::Environment environment;
  exchange::Reporter reporter{environment};
};

/// One processor of a chain at work on one HTTP request: an exchange whose answers go to the next.
class Link final : private host::AnswerSink, private host::Control {
 public:
  /// `number`: its place in the order of the request. Both must outlive it.
  Link(ChainExchange& chain, LinkSurroundings& around, std::size_t number)
      : chain_(chain), number_(number), around_(around), exchange_(around.reporter, *this, *this) {}

  void begin(const Context& context, exchange::Watched watched);
  /// Hands it a message, or keeps it until the link takes one. `made`: see owes_made().
  void feed(const host::Message& message, bool made = false);

  std::size_t number() const { return number_; }
  exchange::ProcessorExchange& exchange() { return exchange_; }
  const detail::Dispatcher& dispatcher() const { return around_.environment.dispatcher; }
  const exchange::Reporter& reporter() const { return around_.reporter; }
  /// It answered at once, or failed: Envoy would have ended its stream.
  bool ended() const { return ended_; }
  /// Whether a filter of its own would send it messages of the phase.
  bool takes(Phase phase) const;
  /// The mode in which that would send it a direction's body.
  std::optional<BodySendMode> body_mode(Phase phase) const;
  /// The modes that it asked for.
  const std::optional<ModeOverride>& mode() const { return mode_; }
  /// Asks for other modes; a body mode that is left out stays what it was.
  void override_mode(const ModeOverride& asked);

  bool paused() const { return paused_; }
  bool idle() const { return !exchange_.running() && waiting_.empty(); }
  /// It has not read so much of what was handed to it.
  std::size_t unread_bytes() const { return exchange_.unread_bytes() + waiting_bytes_; }
  std::size_t waiting_bytes() const { return waiting_bytes_; }
  const std::optional<host::Clock::time_point>& alarm() const { return alarm_; }
  void on_wake();
  /// Hands over what was kept for it, as far as it takes it.
  void deliver();
  /// True when it is released at once.
  bool close(GrpcStatus status, bool cancelled);

  /// The message of the chain that it answers next in a direction's body, by its number; nothing
  /// where it owes none.
  std::optional<std::uint64_t> take_owed(Phase body);
  void owe(Phase body, std::uint64_t message) { owed_[way(body)].push(message); }
  /// The body that it is at was not sent by Envoy, but made by another link.
  bool owes_made(Phase body) const { return made_[way(body)]; }
  void made_answered(Phase body) { made_[way(body)] = false; }
  /// It has had headers of the direction, or is to have them, and has not answered.
  bool owes_headers(Phase phase) const { return owes_headers_[way(phase)]; }

  /// For what it hands on.
  MessageHeaders headers_on;
  std::string body_on;

 private:
  void hand_over(const host::Message& message, bool made);
  static std::size_t way(Phase phase) { return is_request_phase(phase) ? 0 : 1; }

  void headers(Phase phase, const HttpHeaders& message, const HeadersResponse& answer) override;
  void body(Phase phase, const HttpBody& message, BodyResponse& answer) override;
  void trailers(Phase phase, const HttpTrailers& message, const TrailersResponse& answer) override;
  void piece(Phase phase, const HttpBody& piece, const ResponseExtras* extras) override;
  void reply(Phase phase, const ImmediateResponse& response, const ResponseExtras* extras) override;
  // Never called: a link's response to the caller is collected.
  void reply_head(std::span<const Header>, const ResponseExtras*) override {}
  void reply_chunk(std::string_view, const ResponseExtras*) override {}
  void reply_end(std::span<const Header>, const ResponseExtras*) override {}
  void ask_for_time(std::chrono::milliseconds time) override;
  void consumed(Phase phase, std::size_t bytes) override;
  bool congested(Phase phase) const override;
  // What the chain keeps is bounded by itself.
  std::size_t held_bytes() const override { return 0; }

  void finish(GrpcStatus status, std::string_view message) override;
  void wake_at(std::optional<host::Clock::time_point> time) override;
  void pause() override;
  void resume() override;
  void settled() override;
  void kept(std::ptrdiff_t bytes) override;
  void released() override;

  struct Waiting {
    std::unique_ptr<exchange::KeptMessage> message;
    std::size_t bytes;
    bool made;
  };

  ChainExchange& chain_;
  const std::size_t number_;
  LinkSurroundings& around_;
  Queue<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  Queue<std::uint64_t> owed_[2];
  std::optional<ModeOverride> mode_;
  std::optional<host::Clock::time_point> alarm_;
  bool made_[2] = {false, false};
  bool owes_headers_[2] = {false, false};
  bool paused_ = false;
  bool ended_ = false;
  bool replied_ = false;
  exchange::ProcessorExchange exchange_;
};

}  // namespace extproc::chain
