#include "log/make_logger.h"

#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "log/line_text.h"
#include "log/log_writer.h"

namespace extproc {
namespace log {
namespace {

/// Hands lines to a program's own sink.
class SinkOfUser final : public LineSink {
 public:
  explicit SinkOfUser(LogSink sink) : sink_(std::move(sink)) {}
  void take(const LogLine& line) override { sink_(line.level, message_of(line).text()); }

 private:
  LogSink sink_;
};

/// The writers of a process. Those of standard error live as long as it does, so that a line may
/// come at any time; those of files as long as their loggers.
class Writers {
 public:
  static Writers& instance() {
    // Never destroyed: servers may be ended later than what this file has.
    static Writers& writers = *new Writers;
    static const AtExit at_exit{writers};
    return writers;
  }

  bool flush(std::chrono::milliseconds most) {
    std::vector<std::shared_ptr<LogWriter>> writers{text_, json_};
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [name, known] : files_) {
        if (auto writer = known.lock()) writers.push_back(std::move(writer));
      }
    }
    bool all = true;
    for (const auto& writer : writers) all = writer->flush(most) && all;
    return all;
  }

  std::shared_ptr<LineSink> find(LogFormat format, const std::string& file) {
    if (file.empty()) return stderr_of(format);
    const std::lock_guard lock(mutex_);
    std::weak_ptr<LogWriter>& known = files_[{format, file}];
    auto writer = known.lock();
    if (writer == nullptr) {
      writer = std::make_shared<LogWriter>(format, LogFile(file));
      known = writer;
    }
    return writer;
  }

 private:
  struct AtExit {
    Writers& writers;
    ~AtExit() {
      for (const auto& writer : {writers.text_, writers.json_}) writer->close();
    }
  };

  const std::shared_ptr<LogWriter>& stderr_of(LogFormat format) const {
    return format == LogFormat::json ? json_ : text_;
  }

  const std::shared_ptr<LogWriter> text_ = std::make_shared<LogWriter>(LogFormat::text, LogFile());
  const std::shared_ptr<LogWriter> json_ = std::make_shared<LogWriter>(LogFormat::json, LogFile());
  std::mutex mutex_;
  std::map<std::pair<LogFormat, std::string>, std::weak_ptr<LogWriter>> files_;
};

}  // namespace

Logger make_logger(LogLevel level, const Destination& destination) {
  if (destination.sink) return {level, std::make_shared<SinkOfUser>(destination.sink)};
  return {level, Writers::instance().find(destination.format, destination.file)};
}

bool flush(std::chrono::milliseconds most) { return Writers::instance().flush(most); }

}  // namespace log

void log_to_stderr(LogLevel level, std::string_view message) {
  log::make_logger(LogLevel::debug, {}).log(level, LineKind::other, message);
}

}  // namespace extproc
