#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/queue.h"
#include "chain/fold.h"
#include "chain/link.h"
#include "chain/local_reply.h"
#include "chain/made_message.h"
#include "exchange/base_exchange.h"
#include "exchange/direction.h"
#include "exchange/reporter.h"
#include "extproc/context.h"
#include "extproc/host.h"
#include "extproc/observer.h"
#include "extproc/request.h"
#include "extproc/response.h"

namespace extproc::chain {

/// The exchange of several processors, with the effect of one filter each: a message goes from link
/// to link, each of which sees it as those before it answered, and what they answer is one answer.
class ChainExchange final : public exchange::BaseExchange {
 public:
  /// All must outlive it; `around` has one for each processor.
  ChainExchange(exchange::Reporter& reporter,
                std::span<const std::unique_ptr<LinkSurroundings>> around, host::AnswerSink& sink,
                host::Control& control);

  void begin(const detail::CallInfo& info) override;
  void expect_windows() override;
  void on(const host::Message& message) override;
  void on_end() override;
  void on_writable() override;
  void on_wake() override;
  bool on_closed(GrpcStatus status, bool cancelled, std::string_view why) override;
  bool reads_nothing() const override {
    return !any([](Link& link) { return !link.exchange().reads_nothing(); });
  }

  // What a link tells.
  void on_headers(Link& link, Phase phase, const HttpHeaders& message,
                  const HeadersResponse& answer);
  void on_body(Link& link, Phase phase, const HttpBody& message, BodyResponse& answer);
  void on_trailers(Link& link, Phase phase, const HttpTrailers& message,
                   const TrailersResponse& answer);
  void on_piece(Link& link, Phase phase, const HttpBody& piece, const ResponseExtras* extras);
  void on_reply(Link& link, Phase phase, const ImmediateResponse& response,
                const ResponseExtras* extras);
  /// A message that it does not take has waited for its headers.
  void on_passed(Link& link, const host::Message& message);
  void on_ask_for_time(std::chrono::milliseconds time);
  void on_consumed(Link& link, Phase phase, std::size_t bytes);
  void on_finish(GrpcStatus status, std::string_view message);
  void on_kept(std::ptrdiff_t bytes) { control_.kept(bytes); }
  void on_released();
  void update_alarm();
  void update_pause();
  /// Does what had to wait until no link is in the middle of something.
  void go_on();

  // What a link asks.
  /// The mode of a direction's body as the filter is set up, where the client said it.
  std::optional<BodySendMode> configured(Phase phase) const;
  /// A link has asked for other modes than the filter's.
  bool modes_differ() const { return modes_differ_; }
  /// When Envoy sent what the direction's messages come of.
  std::optional<std::chrono::steady_clock::time_point> sent_at(Phase phase) const {
    return direction(reply_ ? Phase::request_headers : phase).sent_at;
  }
  /// Those behind `link` take no more of the direction's body at present.
  bool congested_behind(const Link& link, Phase phase) const;

 private:
  using Clock = host::Clock;

  /// One direction of the HTTP exchange.
  struct Direction {
    Fold headers;
    Fold trailers;
    bool headers_open = false;
    bool trailers_open = false;
    Queue<Fold> bodies;            // that are not answered, oldest first
    std::size_t body_bytes = 0;    // which those take
    std::uint64_t first_body = 0;  // the number of the oldest
    std::optional<Fold> pieces;    // what is to go with the next piece
    Link* reader = nullptr;        // the first that takes the body
    std::size_t owed_credit = 0;   // read by it, while those behind are full
    bool was_congested = false;
    std::optional<MadeMessage> made;
    MessageHeaders made_headers;
    std::optional<Clock::time_point> sent_at;  // its last message, by Envoy
    bool begun = false;
  };

  Direction& direction(Phase phase) { return directions_[is_request_phase(phase) ? 0 : 1]; }
  const Direction& direction(Phase phase) const {
    return directions_[is_request_phase(phase) ? 0 : 1];
  }
  Link& link_at(Phase phase, std::size_t place) const {
    return *links_[is_request_phase(phase) ? place : links_.size() - 1 - place];
  }
  std::size_t place_of(Phase phase, const Link& link) const {
    return is_request_phase(phase) ? link.number() : links_.size() - 1 - link.number();
  }

  void note(const host::Message& message);
  void take(host::Message message);
  void observe(const host::Message& message);
  void pass_on(std::size_t place, const host::Message& message,
               std::optional<std::uint64_t> number);
  void arrived(const host::Message& message, std::optional<std::uint64_t> number);
  bool goes_on(Phase phase) const;
  void apply(const HeaderMutation& mutation, bool replaces, MessageHeaders& headers,
             MergedMutation& changes);
  std::span<const Header> changed(Link& link, std::span<const Header> headers,
                                  const HeaderMutation& mutation, bool replaces, Fold& fold);
  void change_sent_headers(Link& link, Phase phase, const BodyResponse& answer, Fold& fold);
  void take_extras(Fold& fold, const ResponseExtras* extras);
  void renew_metadata();
  void take_override(Link& link, const HeadersResponse& answer);
  void answer_headers(Phase phase, const HttpHeaders& message);
  void answer_trailers(Phase phase, const HttpTrailers& message);
  void answer_bodies(Phase phase);
  template <class Response>
  bool write(Phase phase, const Fold& fold, Response& answer);
  void answered(Phase phase);

  void make(const HttpHeaders& message, Phase phase, Link& link, std::string body);
  void step(MadeMessage& made);
  bool body_awaited(const MadeMessage& made) const;
  bool body_due(const MadeMessage& made, const Link& link) const;
  void body_made(Link& link, Phase phase);
  Fold& fold_of(const MadeMessage& made);
  void finish_made(MadeMessage& made);
  void reply(Phase phase, ImmediateResponse response);

  /// Of any link.
  template <class Of>
  bool any(Of of) const {
    return std::any_of(links_.begin(), links_.end(), [&](const auto& link) { return of(*link); });
  }
  /// Does what the host tells, and then what had to wait until that is done.
  template <class What>
  void enter(What what) {
    ++entered_;
    what();
    --entered_;
    go_on();
  }
  bool any_late() const {
    return any([](Link& link) { return link.exchange().late(); });
  }
  /// A link is in the middle of something.
  bool busy() const {
    return any([](Link& link) { return link.exchange().busy(); });
  }
  void keep_late_context();
  void begin_phase(Phase phase, const HeaderView* headers);
  void end_phase(Phase phase, PhaseOutcome outcome);
  void end_phases();
  void end_all(PhaseOutcome outcome);
  void end_body(Phase phase, std::size_t place);
  void bound_memory();
  std::size_t kept_bytes() const;
  bool owes_answer() const;
  bool running() const;
  bool ends_early() const;
  void on_finished() override;
  void describe_handler(exchange::OpenExchange& open) const override;
  void release();

  std::vector<std::unique_ptr<Link>> links_;
  std::array<Direction, 2> directions_;
  // What messages said of their request while a handler was late.
  detail::MessageContext late_context_;
  std::optional<LocalReply> reply_;
  Fold reply_fold_;
  Phase reply_phase_ = Phase::request_headers;
  HeadersResponse headers_answer_;
  BodyResponse body_answer_;
  TrailersResponse trailers_answer_;
  std::array<std::optional<Clock::time_point>, kPhaseCount> begun_;
  std::optional<Clock::time_point> alarm_;
  std::size_t unreleased_ = 0;
  std::size_t entered_ = 0;  // calls from the host that are under way
  bool modes_differ_ = false;
  bool mode_asked_ = false;  // since the last answer to headers
  bool asked_for_time_ = false;
  bool going_on_ = false;
};

/// The modes that a chain asks for: what any of its processors still needs. `names_links`: each of
/// them leaves its name in the response's headers. `configured`: as the filter is set up.
ModeOverride mode_needed(std::span<const std::unique_ptr<Link>> links, bool names_links);

}  // namespace extproc::chain
