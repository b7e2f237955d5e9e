#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <optional>
#include <string>

#include "exchange/body_session.h"
#include "exchange/ending.h"
#include "extproc/body.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/immediate_response.h"
#include "extproc/phase.h"
#include "extproc/request.h"
#include "extproc/response.h"

namespace extproc::chain {

/// How a processor of a chain ended the body for all.
struct StageEnd {
  std::exception_ptr failure;
  std::optional<ImmediateResponse> immediate;
};

/// What a stage needs of the body that it is part of.
class StageOwner {
 public:
  virtual const detail::Invocation& outer() const = 0;
  /// What came out of stage number `stage`.
  virtual void forward(std::size_t stage, const HttpBody& chunk) = 0;
  virtual void forward_end(std::size_t stage) = 0;
  /// Takes over what an answer of `link` asks for besides the body.
  virtual void take_answer(std::size_t link, BodyResponse& response) = 0;
  /// Of that, what counts beside an immediate response, too; null is nothing.
  virtual void take_extras(const ResponseExtras* extras) = 0;
  virtual void stop(std::size_t link, StageEnd end) = 0;
  /// It may have become idle, or done.
  virtual void on_stage_changed() = 0;

 protected:
  ~StageOwner() = default;
};

/// One processor's part in a body that goes through a chain.
class ChainStage {
 public:
  ChainStage(StageOwner& owner, std::size_t number, std::size_t link,
             const detail::Dispatcher& dispatcher, Request& request)
      : owner_(owner), number_(number), link_(link), dispatcher_(dispatcher), request_(request) {}
  virtual ~ChainStage() = default;
  ChainStage(const ChainStage&) = delete;
  ChainStage& operator=(const ChainStage&) = delete;

  virtual void on_chunk(const HttpBody& chunk) = 0;
  /// No chunk follows, and none said that it was the last.
  virtual void on_input_end() = 0;
  /// It can do nothing until a chunk, or the end, comes.
  virtual bool idle() const = 0;
  /// No handler of it runs.
  virtual bool done() const = 0;
  virtual void cancel() = 0;

 protected:
  void begin();
  void end(PhaseOutcome outcome, std::chrono::steady_clock::time_point start);
  /// Unless it answered, a handler's end is that of the body for all.
  PhaseOutcome take_ending(const exchange::Ending& ending);
  /// The fallback of one is that of the chain.
  void ask_for_fallback(const Fallback& fallback);

  StageOwner& owner_;
  const std::size_t number_;
  const std::size_t link_;
  const detail::Dispatcher& dispatcher_;
  Request& request_;
};

/// A processor with a handler over the whole body.
class SessionStage final : public ChainStage, private exchange::SessionHost {
 public:
  SessionStage(StageOwner& owner, std::size_t number, std::size_t link,
               const detail::Dispatcher& dispatcher, Request& request,
               std::optional<BodySendMode> mode);

  void on_chunk(const HttpBody& chunk) override;
  void on_input_end() override;
  bool idle() const override { return session_.idle(); }
  bool done() const override { return !session_.running(); }
  void cancel() override { session_.cancel(); }

 private:
  const Context& context() const override { return *owner_.outer().context; }
  Request& request() override { return request_; }
  detail::ChainHost* chain_host() override { return owner_.outer().host; }
  std::chrono::steady_clock::time_point now() const override { return owner_.outer().host->now(); }
  bool answers() const override { return true; }
  // What the peer takes is seen to where the chain reads.
  bool congested(Phase /*phase*/) const override { return false; }
  void send_body_answer(Phase phase, const HttpBody& body, BodyResponse& response) override;
  void send_streamed_body(Phase phase, const HttpBody& body, BodyResponse& carries) override;
  void on_waiting(exchange::BodySession& /*session*/) override { owner_.on_stage_changed(); }
  void on_fallback(exchange::BodySession& /*session*/, Fallback fallback) override {
    ask_for_fallback(fallback);
  }
  void on_consumed(exchange::BodySession& /*session*/, std::size_t /*bytes*/) override {}
  void on_written_too_late(Phase phase) override;
  void on_session_done(exchange::BodySession& session, const std::exception_ptr& failure) override;

  exchange::BodySession session_;
  bool begun_ = false;
  bool input_ended_ = false;
};

/// A processor with a handler for each message.
class MessageStage final : public ChainStage, private detail::Completion {
 public:
  using ChainStage::ChainStage;

  void on_chunk(const HttpBody& chunk) override;
  void on_input_end() override;
  bool idle() const override { return !busy_ && queue_.empty(); }
  bool done() const override { return !busy_; }
  void cancel() override { queue_.clear(); }

 private:
  struct Chunk {
    std::string bytes;
    bool end_of_stream;
    HttpBody::Flags flags;
  };

  void complete(std::exception_ptr failure) noexcept override;
  void set_fallback(const Fallback& fallback) noexcept override { ask_for_fallback(fallback); }
  void work();
  void absorb(const std::exception_ptr& failure);

  std::deque<Chunk> queue_;
  Chunk current_{};
  HttpBody body_;
  BodyResponse response_;
  std::chrono::steady_clock::time_point start_;
  bool busy_ = false;
  bool input_ended_ = false;
};

}  // namespace extproc::chain
