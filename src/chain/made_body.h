#pragma once

#include <exception>
#include <optional>
#include <stop_token>
#include <string>

#include "exchange/body_session.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/processing_mode.h"
#include "extproc/response.h"

namespace extproc::chain {

/// A handler over a whole body at work on one that does not come from Envoy, but is all there: of a
/// local reply, or in place of one that was replaced. It fills the call's response as a handler of
/// messages would.
class MadeBody final : private exchange::SessionHost {
 public:
  /// What `call` points to, and the dispatcher, must outlive it.
  MadeBody(const detail::Dispatcher& dispatcher, const detail::Invocation& call,
           std::optional<BodySendMode> mode)
      : call_(call), session_(*this, dispatcher, call.phase, mode) {}

  /// As detail::Dispatcher::call.
  detail::Step start();

 private:
  struct Cancel {
    exchange::BodySession& session;
    void operator()() const { session.cancel(); }
  };

  const Context& context() const override { return *call_.context; }
  Request& request() override { return *call_.request; }
  detail::ChainHost* chain_host() override { return call_.host; }
  std::chrono::steady_clock::time_point now() const override { return call_.host->now(); }
  bool answers() const override { return true; }
  bool congested(Phase /*phase*/) const override { return false; }
  void send_body_answer(Phase phase, const HttpBody& body, BodyResponse& response) override;
  void send_streamed_body(Phase phase, const HttpBody& body, BodyResponse& carries) override;
  void on_waiting(exchange::BodySession& /*session*/) override {}
  void on_fallback(exchange::BodySession& /*session*/, Fallback fallback) override {
    call_.completion->set_fallback(fallback);
  }
  void on_consumed(exchange::BodySession& /*session*/, std::size_t /*bytes*/) override {}
  // The only chunk is the last one.
  void on_written_too_late(Phase /*phase*/) override {}
  void on_session_done(exchange::BodySession& session, const std::exception_ptr& failure) override;

  void take(BodyResponse& response);
  void take_extras(const ResponseExtras* extras);

  const detail::Invocation call_;
  exchange::BodySession session_;
  std::string written_;
  std::exception_ptr failure_;
  bool starting_ = false;
  bool done_ = false;
  std::optional<std::stop_callback<Cancel>> on_stop_;
};

}  // namespace extproc::chain
