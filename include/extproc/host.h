#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/body.h"
#include "extproc/completed.h"
#include "extproc/context.h"
#include "extproc/export.h"
#include "extproc/filter_settings.h"
#include "extproc/headers.h"
#include "extproc/immediate_response.h"
#include "extproc/log.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "extproc/response.h"
#include "extproc/rule.h"
#include "extproc/service.h"
#include "extproc/status.h"

/// For whoever has HTTP messages in a form of his own and wants a processor to work on them: a
/// proxy, a test, a filter inside Envoy. Opt-in: extproc.h does not include it. The gRPC server and
/// the test kit are such hosts.
///
/// A Host is what the exchanges of one processor on one thread share; an Exchange is one HTTP
/// request. It is told of messages, and answers through the AnswerSink that it was made with. All
/// of one Host happens on one thread, and nothing of it blocks.
namespace extproc {

class Observer;

namespace detail {
struct EventLoop;
struct HostAccess;
}  // namespace detail

namespace host {

using Clock = std::chrono::steady_clock;
/// What Context tells of the call that an exchange came in.
using CallInfo = detail::CallInfo;

/// The field under which the entries of `attributes` are stored, so that they can be read as a map.
inline constexpr unsigned kStoredAttributes = 1;

/// What a message tells of the HTTP request besides a phase, as protobuf bytes: who carries
/// messages says where they are, and they are fetched when they are kept.
class MessageSource {
 public:
  /// Appends the entries of `ProcessingRequest.attributes`, each serialised as the field
  /// kStoredAttributes.
  virtual void store_attributes(std::string& out) const = 0;
  /// Puts the serialised `ProcessingRequest.metadata_context` in place of `out`.
  virtual void store_metadata(std::string& out) const = 0;

 protected:
  ~MessageSource() = default;
};

/// What an exchange is told at a time: `ProcessingRequest` without its wire. Its views need live no
/// longer than the call that hands it over.
struct Message {
  /// Which part of the HTTP exchange it brings; nothing when it brings none.
  std::optional<Phase> phase{};
  /// Of headers and bodies, as the client says it.
  bool end_of_stream = false;
  /// Of bodies.
  std::string_view body{};
  HttpBody::Flags body_flags{};
  /// Of headers and trailers, names in lower case, pseudo-headers among them.
  std::span<const Header> headers{};
  /// Of headers and bodies: nothing of the direction follows.
  bool is_last() const { return end_of_stream || body_flags.end_of_stream_without_message; }

  /// The processor only looks on: the sink hears nothing.
  bool observability_mode = false;
  /// How bodies come, on the first message; nothing where that is not known.
  std::optional<ProtocolConfiguration> protocol_config{};
  /// There are some in `source`.
  bool has_attributes = false;
  /// There is one in `source`, of so many bytes.
  bool has_metadata = false;
  std::size_t metadata_bytes = 0;
  /// Null where it has neither.
  const MessageSource* source = nullptr;
};

/// Where the answers of an exchange go. An answer is valid during the call, and so is `message`,
/// what it answers as its processor saw it; `extras`, null where there are none, go with it.
///
/// Exactly one answer is given to each message of headers and trailers, and to each body of the
/// modes other than FULL_DUPLEX_STREAMED and GRPC; of bodies in the order in which they came. The
/// answer to headers may come behind later messages of its direction: `phase` says what is
/// answered, and not which message came last.
class AnswerSink {
 public:
  virtual void headers(Phase phase, const HttpHeaders& message, const HeadersResponse& answer) = 0;
  /// The body may be taken out of it.
  virtual void body(Phase phase, const HttpBody& message, BodyResponse& answer) = 0;
  virtual void trailers(Phase phase, const HttpTrailers& message,
                        const TrailersResponse& answer) = 0;
  /// A piece of a body in FULL_DUPLEX_STREAMED or GRPC mode: what goes on in place of what came.
  virtual void piece(Phase phase, const HttpBody& piece, const ResponseExtras* extras) = 0;
  /// A response to the caller in place of the answer to `phase`; nothing follows but
  /// Control::finish().
  virtual void reply(Phase phase, const ImmediateResponse& response,
                     const ResponseExtras* extras) = 0;
  /// The same piece by piece: `headers` include ":status", and the end is told with the trailers,
  /// which may be none.
  virtual void reply_head(std::span<const Header> headers, const ResponseExtras* extras) = 0;
  virtual void reply_chunk(std::string_view bytes, const ResponseExtras* extras) = 0;
  virtual void reply_end(std::span<const Header> trailers, const ResponseExtras* extras) = 0;
  /// The handler needs more than the time that its host gives it: `override_message_timeout`.
  virtual void ask_for_time(std::chrono::milliseconds time) = 0;

  /// The processor is done with so many bytes of a direction's body, which `phase` is of.
  virtual void consumed(Phase phase, std::size_t bytes) = 0;
  /// Answers of the direction that `phase` is of wait because nobody takes them at present;
  /// Exchange::on_writable() is called when somebody does again.
  virtual bool congested(Phase phase) const = 0;
  /// The bytes of such answers, where the peer bounds what it takes.
  virtual std::size_t held_bytes() const = 0;

 protected:
  ~AnswerSink() = default;
};

using Completed = extproc::Completed;

/// How an exchange ends, is woken, and holds its messages back: what it needs of its host besides
/// somebody to take its answers.
class Control {
 public:
  /// Ends the exchange; nothing follows. Exchange::on_closed is to be called afterwards, not from
  /// inside of this.
  virtual void finish(GrpcStatus status, std::string_view message) = 0;
  /// Exchange::on_wake() is to be called at `time`, which takes the place of an earlier one; at no
  /// time: never.
  virtual void wake_at(std::optional<Clock::time_point> time) = 0;
  /// No message is to be handed over until resume(), which may hand over some before it returns.
  virtual void pause() = 0;
  virtual void resume() = 0;
  /// What came of a handler that had waited has all been told, for now: last of its calls.
  virtual void settled() {}
  /// The exchange keeps so many bytes more, or less, of what it was handed: messages that wait for
  /// a handler, bodies that are not read. Never below zero in sum, and zero at its end.
  virtual void kept(std::ptrdiff_t bytes) { static_cast<void>(bytes); }
  /// It is over, and no handler of it runs any more; called once, before on_closed() returns true
  /// or released().
  virtual void completed(const Completed& how) { static_cast<void>(how); }
  /// After Exchange::on_closed told that a handler still ran: it has returned, and the exchange may
  /// be destroyed or begun anew, also inside of this call.
  virtual void released() = 0;

 protected:
  ~Control() = default;
};

/// One HTTP request at its processor, or at the processors of a chain: calls the handler of each
/// message's phase and sees to it that what must be answered is answered once, and that the
/// exchange ends. Reusable: begin() makes it fresh.
class Exchange {
 public:
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// `info` must live until the exchange is closed and released.
  virtual void begin(const CallInfo& info) = 0;
  /// The peer bounds what it sends and takes itself, by windows: its messages do not wait, because
  /// those that let answers go are among them. What is kept for it is bounded.
  virtual void expect_windows() = 0;
  /// No message has come yet that says how the filter is set up.
  virtual bool expects_first() const = 0;

  /// Never while the exchange is paused, nor from inside of its calls other than resume(). Of a
  /// direction come headers, then a body in any number of messages, then trailers, each of which
  /// may be missing, and nothing behind its end: what is out of order ends it as what is no
  /// message.
  virtual void on(const Message& message) = 0;
  /// What came is no message: ends it with INTERNAL.
  virtual void on_malformed() = 0;
  /// No message follows.
  virtual void on_end() = 0;
  /// The sink is not congested any more.
  virtual void on_writable() = 0;
  /// The time of Control::wake_at has come.
  virtual void on_wake() = 0;
  /// The request is over. `status` is what it ended with where it did not end itself, or
  /// resource_exhausted where it kept more than the host allows, its answers included, and `why`
  /// the limit, for the log; `cancelled`, that the peer ended it. True when it may be destroyed or
  /// begun anew at once; else a handler still runs, and Control::released tells when it has
  /// returned. What that handler answers is dropped.
  virtual bool on_closed(GrpcStatus status, bool cancelled, std::string_view why = {}) = 0;

 protected:
  Exchange() = default;
};

/// How a host runs its processor; what Settings of a server says of streams is the same.
struct Settings {
  LogLevel log_level = LogLevel::info;
  /// None: as log_to_stderr writes them.
  LogSink log{};
  /// Told what happens to exchanges and phases; must outlive the host.
  Observer* observer = nullptr;
  /// Headers whose values LogLevel::debug does not tell, in whatever case, besides authorization,
  /// proxy-authorization, cookie, set-cookie and x-api-key.
  std::vector<std::string> redacted_headers{};
  /// Others that are told of the same behind it, in their order.
  std::vector<Observer*> observers{};
  /// The header that each processor adds its name to, in lower case; empty: none.
  std::string chain_header{};
  /// A synchronous handler that takes longer is logged once.
  std::chrono::nanoseconds slow_handler{std::chrono::milliseconds{10}};
  FilterSettings filter{};
  /// Nobody behind the host refuses what Envoy's rules forbid: the changes to headers that break
  /// one are left out of the answers, besides that they are reported.
  bool enforces_rules = false;
  /// It runs inside Envoy, where no header can have an empty value, and there is no gRPC call: an
  /// answer that asks for the one, and a handler that asks for the other, is told of as a Rule.
  bool inside_envoy = false;
  /// What comes of a STREAMED body is handed over before its headers are answered, so that the
  /// answer may wait for it: as send_body_without_waiting_for_header_response, but overrides of the
  /// mode count.
  bool body_before_answer = false;
  /// As Settings::early_end and Settings::automatic_mode_override of a server.
  bool early_end = true;
  bool automatic_mode_override = false;
  /// Completed tells times, which costs readings of the clock.
  bool measures = false;
  /// What a body's handler has not read yet, in bytes of one direction, before the exchange is
  /// paused.
  std::size_t unread_body_bytes = std::size_t{256} << 10;
  /// After expect_windows() nothing is paused: what has not been read and what the sink holds, in
  /// bytes of one exchange, before it ends with RESOURCE_EXHAUSTED.
  std::size_t flow_controlled_bytes = std::size_t{16} << 20;
  /// As Limits::held_bytes_per_stream and Limits::held_time of a server.
  std::size_t held_bytes = std::size_t{4} << 20;
  std::chrono::milliseconds held_time{5'000};
  /// Of a response that is written piece by piece and collected, since the client does not take it
  /// that way, in bytes, before the exchange ends with RESOURCE_EXHAUSTED.
  std::size_t collected_bytes = std::size_t{16} << 20;
  /// Told of each answer that broke a rule.
  std::function<void(Violation)> on_violation{};
  /// The clock of deadlines and durations.
  Clock::time_point (*now)() = &Clock::now;
};

/// What all exchanges of one processor, or chain, on one thread share. It outlives them.
class EXTPROC_API Host {
 public:
  /// `loop` is where handlers that wait go on (extproc/host_loop.h makes one), and must outlive the
  /// host; null where none does. Throws Error where there is none and the processor's handlers can
  /// wait.
  explicit Host(const Service& processor, Settings settings = {},
                detail::EventLoop* loop = nullptr);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// An exchange that is to be begun. All must outlive it.
  std::unique_ptr<Exchange> make_exchange(AnswerSink& sink, Control& control);

  /// The processor's name.
  const std::string& name() const;
  /// Whether its handlers can wait, so that they may outlive what Exchange::on was given.
  bool waits() const;

 private:
  friend struct detail::HostAccess;
  struct Inside;
  explicit Host(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace host
}  // namespace extproc
