#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "exchange/body_session.h"
#include "exchange/deadlines.h"
#include "exchange/held_headers.h"
#include "extproc/body.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "extproc/response.h"

namespace extproc::exchange {

/// A handler over a direction's whole body at work, and when it must be helped.
struct BodyRun {
  BodySession session;
  BodyDeadline deadline;

  /// Its direction's trailers wait for it.
  bool holds_others_up() const { return session.running() && !session.abandoned(); }
};

/// One direction of an HTTP exchange, as its processor sees it: what has come of it, how its body
/// comes, and the handler that works on that.
class Direction {
 public:
  enum class Progress : std::uint8_t {
    awaited,   ///< nothing has come
    begun,     ///< headers, or what comes where they are not sent
    in_body,   ///< a message of the body has come
    over,      ///< nothing follows
    replaced,  ///< the same, whatever was sent: CONTINUE_AND_REPLACE
  };

  Direction() = default;
  /// Makes it fresh.
  void begin() {
    run.reset();
    mode_.reset();
    comes_in_.reset();
    progress_ = Progress::awaited;
    headers_seen_ = content_length_ = no_content_ = head_turned_ = false;
    withheld_ = 0;
  }

  Progress progress() const { return progress_; }
  /// A message has come, which may be the last of the direction. False where none of its phase may
  /// come any more.
  bool seen(Phase phase, bool last);
  /// The answer to its headers replaced it: a message that was under way wants no answer.
  void replace() { progress_ = Progress::replaced; }
  bool replaced() const { return progress_ == Progress::replaced; }

  /// The headers came to this processor, with content-length or without.
  void headers_seen(bool content_length) {
    headers_seen_ = true;
    content_length_ = content_length;
  }
  bool are_headers_seen() const { return headers_seen_; }
  /// Another processor of its chain has set content-length since.
  void content_length_set() { content_length_ = true; }
  bool has_content_length() const { return content_length_; }

  /// Of the response: HTTP has no body in it.
  void has_no_content() { no_content_ = true; }
  bool has_content() const { return !no_content_; }
  /// Of the response: the answer to a HEAD request makes it one of another method, or the answer to
  /// another one makes it HEAD.
  void turn_head() { head_turned_ = true; }
  bool head_turned() const { return head_turned_; }

  // Where the length of the body has to stay as it is, in bytes.
  void body_came(std::size_t bytes) { withheld_ += static_cast<std::int64_t>(bytes); }
  void body_left(std::size_t bytes) { withheld_ -= static_cast<std::int64_t>(bytes); }
  /// What came and did not go on; below zero, what went on and did not come.
  std::int64_t withheld() const { return withheld_; }

  /// The mode that the filter has for this processor; nothing when it is not known.
  std::optional<BodySendMode> mode() const { return mode_; }
  /// The mode in which the body comes: in a chain another processor may have asked for it.
  std::optional<BodySendMode> comes_in() const { return comes_in_; }
  void set_mode(std::optional<BodySendMode> mode) { mode_ = mode; }
  void come_in(std::optional<BodySendMode> mode) { comes_in_ = mode; }
  /// Whether answers to bodies must be streamed_response.
  bool full_duplex() const { return comes_in_ && is_full_duplex(*comes_in_); }

  /// Whether the message has the whole body. Where the client did not say how bodies come, one that
  /// ends its direction is as good as a buffered one.
  bool brings_all(const HttpBody& body) const {
    return comes_in_ && *comes_in_ != BodySendMode::none ? *comes_in_ == BodySendMode::buffered
                                                         : body.end_of_stream();
  }
  /// Where Envoy compares the length of a replaced body with content-length, sets it right in the
  /// same answer: in BUFFERED mode with headers sent, a difference is a 500. Elsewhere Envoy drops
  /// content-length itself. Where there is none, none is added: an HTTP/1.1 message with trailers
  /// would lose them.
  void correct_content_length(const HttpBody& body, BodyResponse& response) const;

  /// The handler over the whole body; null until its first chunk, and where there is none.
  std::unique_ptr<BodyRun> run;
  /// The answer to its headers, while that waits for the handler over the body.
  std::unique_ptr<HeldHeaders> held;

 private:
  std::optional<BodySendMode> mode_;
  std::optional<BodySendMode> comes_in_;
  Progress progress_ = Progress::awaited;
  bool headers_seen_ = false;
  bool content_length_ = false;
  bool no_content_ = false;
  bool head_turned_ = false;
  std::int64_t withheld_ = 0;
};

/// Both, and what the client said of how the filter is set up.
class Directions {
 public:
  /// Makes them fresh.
  void begin() {
    for (Direction& each : directions_) each.begin();
    config_.reset();
    overridden_ = framed_ = false;
  }

  Direction& of(Phase phase) { return directions_[is_request_phase(phase) ? 0 : 1]; }
  const Direction& of(Phase phase) const { return directions_[is_request_phase(phase) ? 0 : 1]; }
  /// Calls `f` with the handler over each body that has one.
  template <class F>
  void each_run(F f) const {
    for (const Direction& each : directions_)
      if (each.run != nullptr) f(*each.run);
  }

  /// Calls `f` with each answer to headers that waits for its body.
  template <class F>
  void each_held(F f) const {
    for (const Direction& each : directions_)
      if (each.held != nullptr) f(*each.held);
  }

  /// From the exchange's first message; clients other than Envoy may leave it out.
  void configure(const std::optional<ProtocolConfiguration>& config);
  /// An answer asked for other modes; it is taken for granted that the filter allows it.
  void apply(const ModeOverride& mode);
  /// Of a chain's processor: bodies come as those of `frame`, as it is now.
  void come_as(const Directions& frame);

  /// How the filter is set up, before any override.
  const std::optional<ProtocolConfiguration>& configured() const {
    return overridden_ ? configured_ : config_;
  }
  /// As it is after the overrides.
  const std::optional<ProtocolConfiguration>& config() const { return config_; }
  /// An answer asked for other modes than the filter has.
  bool overridden() const { return overridden_; }
  bool full_duplex() const { return directions_[0].full_duplex() || directions_[1].full_duplex(); }
  /// Whether a message of one of `phases` may still come.
  bool may_come(PhaseSet phases) const;

 private:
  bool may_come(Phase phase) const;

  void update();

  Direction directions_[2];
  std::optional<ProtocolConfiguration> config_;
  std::optional<ProtocolConfiguration> configured_;  // once overridden
  bool overridden_ = false;
  bool framed_ = false;
};

}  // namespace extproc::exchange
