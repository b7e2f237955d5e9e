#pragma once

#include <string>
#include <utility>

#include "extproc/host.h"

namespace extproc::stream {

/// Where the serialised answers of a stream go, and how it holds its messages back.
class ReplySink : public host::Control {
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
  /// Answers wait because the peer takes none; ProcessStream::on_writable() is called when it does
  /// again. Messages wait too meanwhile.
  virtual bool congested() const = 0;

 protected:
  ~ReplySink() = default;
};

}  // namespace extproc::stream
