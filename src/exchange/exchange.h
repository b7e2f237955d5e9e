#pragma once

#include "exchange/message.h"
#include "extproc/context.h"
#include "extproc/status.h"

namespace extproc::exchange {

/// One HTTP request at its processor, or at the processors of a chain: calls the handler of each
/// message's phase and sees to it that what must be answered is answered once, and that the
/// exchange ends. It does no I/O, and knows no form of messages but Message. Reusable: begin()
/// makes it fresh.
class Exchange {
 public:
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// `info` must live until the exchange is closed and released.
  virtual void begin(const detail::CallInfo& info) = 0;
  /// The peer bounds what it sends and takes itself, by windows: its messages do not wait, because
  /// those that let answers go are among them. What is kept for it is bounded.
  virtual void expect_windows() = 0;
  /// No message has come yet that says how the filter is set up.
  virtual bool expects_first() const = 0;

  /// Never while the sink is paused. What `message` refers to need not outlive the call.
  virtual void on(const Message& message) = 0;
  /// What came is no message.
  virtual void on_malformed() = 0;
  /// No message follows.
  virtual void on_end() = 0;
  /// The sink is not congested any more.
  virtual void on_writable() = 0;
  /// The time of Control::wake_at has come.
  virtual void on_wake() = 0;
  /// The stream is over. `status` is what it ended with where it did not end itself; `cancelled`,
  /// that the peer ended it. True when it may be destroyed or begun anew at once; else a handler
  /// still runs, and the sink is told when it has returned. What that handler answers is dropped.
  virtual bool on_closed(GrpcStatus status, bool cancelled) = 0;

 protected:
  Exchange() = default;
};

}  // namespace extproc::exchange
