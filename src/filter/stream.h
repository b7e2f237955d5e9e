#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/host.h"
#include "filter/abi.h"
#include "filter/envoy_stream.h"
#include "filter/filter.h"
#include "filter/neighbours.h"
#include "filter/observed.h"
#include "filter/way.h"
#include "filter/worker_loop.h"

namespace extproc::filter {

/// One HTTP stream with the filter in it: tells an exchange what Envoy's hooks bring, and does with
/// Envoy what that answers. Envoy owns it until on_destroy(); then it goes when no handler of it
/// runs any more.
///
/// The exchange is never in the middle of something while Envoy is called that may call hooks: what
/// it answers is noted, and done behind it.
class Stream final : private host::AnswerSink,
                     private host::Control,
                     private detail::CallInfo,
                     private WorkerLoop::Touched {
 public:
  /// On the worker of `envoy`.
  Stream(std::shared_ptr<Filter> filter, void* envoy);

  /// A hook that runs, or what has the place of one: who has let go of the stream within it, or
  /// within those around it, has it go at the end of the outermost. Meanwhile nobody else does
  /// anything of its worker.
  class Turn {
   public:
    explicit Turn(Stream& stream);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    friend class Stream;
    void take();

    Stream& stream_;
    std::shared_ptr<WorkerLoop> loop_;
    std::unique_lock<std::recursive_mutex> lock_;
  };

  // The hooks, each in its turn.

  abi::OnHeaders on_headers(Turn& turn, Phase phase, bool end);
  abi::OnBody on_body(Turn& turn, Phase phase, bool end);
  /// In place of on_body(), without a turn, where it returns true: nothing is to be done of that
  /// body, and it goes on.
  bool leaves_body(Phase phase, bool end);
  abi::OnTrailers on_trailers(Turn& turn, Phase phase);
  void on_scheduled();
  /// Envoy has let go of it.
  void on_destroy();
  /// A hook failed: so does the request. True where it goes on, since it had not begun here.
  bool on_failure(std::string_view what);

  // For whoever plays Envoy; on the worker.

  /// A handler runs, and waits for nothing of the HTTP stream.
  bool at_work() const;
  /// It is to be woken at some time.
  bool awaits_time() const { return awaits_time_; }

 private:
  /// How the exchange ended.
  enum class End : std::uint8_t { none, passes, fails };
  /// Where handlers may wait, as long as Envoy has the stream.
  struct Waiting {
    explicit Waiting(void* envoy) : member(envoy) {}
    WorkerLoop::Member member;
    std::shared_ptr<Neighbours> neighbours{};
  };
  /// A part of a response that is written piece by piece.
  struct Piece {
    enum class Kind : std::uint8_t { head, chunk, end, reset } kind;
    std::vector<std::pair<std::string, std::string>> headers{};
    std::string bytes{};
  };

  // host::AnswerSink, in stream_answers.cc
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
  bool congested(Phase phase) const override;
  std::size_t held_bytes() const override;
  void take_extras(const ResponseExtras* extras);
  void override_mode(const ModeOverride& mode);

  // host::Control
  void finish(GrpcStatus status, std::string_view message) override;
  void wake_at(std::optional<host::Clock::time_point> time) override;
  void pause() override { paused_ = true; }
  void resume() override;
  void settled() override { touch(); }
  void kept(std::ptrdiff_t bytes) override;
  void completed(const host::Completed& how) override;
  void released() override;

  // detail::CallInfo
  std::string_view peer() const override;
  std::optional<std::chrono::steady_clock::time_point> deadline() const override { return {}; }
  std::size_t metadata_size() const override { return 0; }
  std::pair<std::string_view, std::string_view> metadata_at(std::size_t) const override {
    return {};
  }
  bool may_have_trace() const override { return false; }
  void note_missing(detail::CallPart part) const override {
    missing_ = static_cast<std::uint8_t>(part) + 1;
  }
  std::optional<detail::CallPart> take_missing() const override {
    if (missing_.load(std::memory_order_relaxed) == 0) return std::nullopt;
    const std::uint8_t noted = missing_.exchange(0);
    return noted == 0 ? std::nullopt : std::optional(static_cast<detail::CallPart>(noted - 1));
  }

  // WorkerLoop::Touched
  void act() noexcept override;
  void fail(std::string_view what) noexcept override;
  void act_in_turn();

  void touch();
  void touch_later();
  bool begin(Turn& turn);
  static void end_body_hook(Way& way);

  // In stream_end.cc, with finish(), on_failure() and released().
  void refuse(GrpcStatus status);
  static Piece broken_off(GrpcStatus status);
  void close();
  void rest();

  // In stream_messages.cc: what the exchange is told, as far as it takes it.
  void tell(Way& way);
  bool tells_body_now(const Way& way) const;
  bool goes_over_limit(const Way& way) const;
  bool reads_no_more(const Way& way) const;
  bool is_over_limit(const Way& way) const;
  void refuse_too_large(const Way& way);
  void drop_body(Way& way);
  std::string_view take_piece(Way& way);
  void take_untold(Way& way);
  std::string pop_unanswered(Way& way);
  bool tells_trailers_now(const Way& way) const;
  bool has_untold_body(const Way& way) const;
  void tell_headers(Way& way);
  void tell_body(Way& way);
  void tell_trailers(Way& way);
  void on(Way& way, host::Message& message);
  bool observes() const { return in_force_ != nullptr && in_force_->config().observability_mode; }
  /// No message may be handed to the exchange.
  bool holds_up() const { return paused_ && !observes(); }
  void tell_observed();
  bool looks_on_still() const {
    return !over_limit_ && end_ == End::none && (paused_ || !observed_.empty());
  }
  /// Nothing goes to the exchange.
  bool is_over() const { return end_ != End::none || replied_ || off_; }

  // What is done with Envoy.
  bool waits(const Way& way) const;
  void add_out(Way& way, std::string_view bytes);
  std::string take_out(Way& way);
  void let_out(Way& way);
  void collect_unanswered(Way& way);
  void put_out(Way& way);
  /// Does what the exchange asked for that may call hooks. False where nothing is to follow.
  bool do_asked();
  bool goes_on_later(Way& way, bool was_taken);
  void act_on_other(const Way& way);

  // In stream_bodies.cc: who has what of a body that Envoy keeps, and how it goes on.
  void find_body(Way& way);
  void fail_overtaken(Way& way);
  void fail_body(std::string_view details, std::string_view why);
  void go_on(Way& way);
  bool go_ahead(Way& way);
  bool collects(Way& way);
  void continue_message(Way& way);
  void find_neighbours();
  void mark(Way& way);
  bool router_has(const Way& way) const;
  bool others_may_send(const Way& way) const;
  std::size_t sends_twice(const Way& way) const;
  bool is_counted_again(const Way& way) const;
  void check_length();
  using Streams = std::span<const Stream* const>;
  Streams before(const Way& way) const;
  Streams after(const Way& way) const;
  std::size_t sum(Streams streams, const Way& way, std::size_t Way::*bytes) const;
  std::string hide_left_before(Way& way);
  std::size_t shown_again(const Way& way) const;
  bool end_is_before(const Way& way) const;

  Way& way(Phase phase) { return is_request_phase(phase) ? request_ : response_; }
  bool is_request(const Way& way) const { return &way == &request_; }
  /// Of this stream, the same direction.
  const Way& same(const Way& way, const Stream& stream) const {
    return is_request(way) ? stream.request_ : stream.response_;
  }

  /// Kept until the exchange is over, as Envoy's configuration is not.
  const std::shared_ptr<Filter> filter_;
  std::shared_ptr<Filter> in_force_;  // the route's, where that has one
  EnvoyStream envoy_;
  Worker* worker_ = nullptr;
  std::optional<Waiting> waiting_;
  mutable std::string peer_;
  std::string text_;
  Way request_{true};
  Way response_{false};
  const Way* told_last_ = nullptr;
  std::optional<ImmediateResponse> reply_;
  std::vector<Piece> pieces_;
  std::unique_ptr<boost::asio::steady_timer> timer_;
  std::shared_ptr<Stream*> alive_;  // of what may outlive this
  Observed observed_;
  std::ptrdiff_t kept_ = 0;
  /// What a handler asked for that only a gRPC call has, plus one; 0: nothing.
  mutable std::atomic<std::uint8_t> missing_{0};
  int turns_ = 0;
  End end_ = End::none;
  bool begun_ = false;
  bool off_ = false;  // on this route
  bool first_ = true;
  bool paused_ = false;
  bool replied_ = false;
  /// A response piece by piece has begun, and has no end.
  bool reply_open_ = false;
  bool over_limit_ = false;
  bool destroyed_ = false;
  bool closed_ = false;
  bool awaits_time_ = false;
  bool released_ = true;   // no handler runs
  bool outlives_ = false;  // Envoy's stream
  // Last, so that it goes before what it refers to.
  std::unique_ptr<host::Exchange> exchange_;
};

}  // namespace extproc::filter
