#pragma once

#include <string>
#include <vector>

#include "extproc/log.h"

/// What the callbacks of Envoy's ABI note besides the streams that they are for. Any thread.
namespace extproc::testing::envoy {

/// Lines for Envoy's log that come on this thread go to `sink`, as long as it lives. Who plays an
/// Envoy has one: nothing else asks the linker for the callbacks, whose declarations are weak.
class EnvoyLog {
 public:
  explicit EnvoyLog(LogSink sink);
  ~EnvoyLog();
  EnvoyLog(const EnvoyLog&) = delete;
  EnvoyLog& operator=(const EnvoyLog&) = delete;

 private:
  const LogSink sink_;
};

// For tests of the filter itself.

/// The other lines, since the last call.
std::vector<std::string> take_envoy_log();
/// How often Envoy was called for a stream on another thread than its worker's.
int calls_on_wrong_threads();
/// How many schedulers of filters there are.
int schedulers();
/// As --mode validate.
void set_validates(bool validates);

}  // namespace extproc::testing::envoy
