#include "call_log/call_queue.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "call_log/json_line.h"
#include "call_log/time_text.h"
#include "log/log_file.h"

namespace extproc::call_log {
namespace {

/// That a thread that writes is not woken for each line.
constexpr std::chrono::milliseconds kGather{20};

/// Lines that were lost are told among the others.
class CallQueue final : public log::LineQueue {
 public:
  using LineQueue::LineQueue;

 private:
  void add_own(std::string& lines, std::uint64_t dropped, bool /*last*/) override {
    if (dropped == 0) return;
    std::string own;
    JsonLine line(own, kOwnBytes);
    line.text("time", TimeText(std::chrono::system_clock::now()).text());
    line.number("dropped", static_cast<std::int64_t>(dropped));
    line.finish();
    lines += own;
  }
  std::string not_reopened(const std::string& path, const std::string& reason) override {
    std::string own;
    JsonLine line(own, kOwnBytes);
    line.text("time", TimeText(std::chrono::system_clock::now()).text());
    line.text("error", "the file that was open goes on, since \"" + path +
                           "\" cannot be opened anew: " + reason);
    line.finish();
    return own;
  }

  static constexpr std::size_t kOwnBytes = 1024;
};

}  // namespace

std::shared_ptr<log::LineWriter> make_writer(const CallLogSettings& settings) {
  log::LogFile file =
      settings.file == "-" ? log::LogFile::standard_output() : log::LogFile(settings.file);
  const log::LineQueue::Settings queue{
      .queued_bytes = settings.queue_bytes, .thread_name = "extproc-calls", .pause = kGather};
  return std::make_shared<log::LineWriter>(std::make_shared<CallQueue>(std::move(file), queue));
}

}  // namespace extproc::call_log
