#pragma once

#include <exception>
#include <optional>
#include <stop_token>
#include <string>

#include "extproc/detail/dispatcher.h"
#include "extproc/processing_mode.h"
#include "extproc/response.h"
#include "processor/body_session.h"

namespace extproc::detail {

/// A handler over a whole body at work on one that does not come from Envoy, but is all there: of a
/// local reply, or in place of one that was replaced. It fills the call's response as a handler of
/// messages would.
class MadeBody final : private SessionHost {
 public:
  /// What `call` points to, and the dispatcher, must outlive it.
  MadeBody(const Dispatcher& dispatcher, const Invocation& call, std::optional<BodySendMode> mode)
      : call_(call), session_(*this, dispatcher, call.phase, mode) {}

  /// As Dispatcher::call.
  Step start();

 private:
  struct Cancel {
    BodySession& session;
    void operator()() const { session.cancel(); }
  };

  const Context& context() const override { return *call_.context; }
  Request& request() override { return *call_.request; }
  ChainHost* chain_host() override { return call_.host; }
  std::chrono::steady_clock::time_point now() const override { return call_.host->now(); }
  bool answers() const override { return true; }
  bool congested(Phase /*phase*/) const override { return false; }
  void send_body_answer(Phase phase, const HttpBody& body, BodyResponse& response) override;
  void send_streamed_body(Phase phase, const HttpBody& body, BodyResponse& carries) override;
  void on_waiting(BodySession& /*session*/) override {}
  void on_fallback(BodySession& /*session*/, Fallback fallback) override {
    call_.completion->set_fallback(fallback);
  }
  void on_consumed(BodySession& /*session*/, std::size_t /*bytes*/) override {}
  // The only chunk is the last one.
  void on_written_too_late(Phase /*phase*/) override {}
  void on_session_done(BodySession& session, const std::exception_ptr& failure) override;

  void take(BodyResponse& response);
  void take_extras(const ResponseExtras* extras);

  const Invocation call_;
  BodySession session_;
  std::string written_;
  std::exception_ptr failure_;
  bool starting_ = false;
  bool done_ = false;
  std::optional<std::stop_callback<Cancel>> on_stop_;
};

}  // namespace extproc::detail
