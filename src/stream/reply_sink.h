#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "extproc/status.h"

namespace extproc::stream {

/// Where a stream's answers go, and how it holds its messages back.
class ReplySink {
 public:
  /// Where one message is to be appended; end_message() sends it.
  virtual std::string& begin_message() = 0;
  virtual void end_message() = 0;
  /// The same with `tail` behind what was appended to `message`, where begin_message() told. A sink
  /// that can do better than to copy what is large does.
  virtual void end_message_with(std::string& message, std::string tail) {
    message += tail;
    end_message();
  }
  /// Ends the stream; nothing follows.
  virtual void finish(GrpcStatus status, std::string_view message) = 0;
  /// Answers wait because the peer takes none; ProcessStream::on_writable() is called when it does
  /// again. Messages wait too meanwhile.
  virtual bool congested() const = 0;
  /// ProcessStream::on_wake() is to be called at `time`, which takes the place of an earlier one;
  /// at no time: never.
  virtual void wake_at(std::optional<std::chrono::steady_clock::time_point> time) = 0;
  /// No message is to be delivered until resume(), which may deliver some before it returns.
  virtual void pause() = 0;
  virtual void resume() = 0;
  /// After ProcessStream::on_closed told that a handler still ran: it has returned, and the stream
  /// may be destroyed or begun anew, also inside of this call.
  virtual void released() = 0;

 protected:
  ~ReplySink() = default;
};

}  // namespace extproc::stream
