#include "cli/logging.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <string>

namespace extproc::cli {
namespace {

constexpr spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::critical:
      return spdlog::level::critical;
    case LogLevel::off:
      break;
  }
  return spdlog::level::off;
}

/// The library's names of the levels; spdlog's are others.
class LevelName final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error,
                             LogLevel::critical}) {
      if (to_spdlog(level) != message.level) continue;
      const std::string_view name = to_string(level);
      out.append(name.data(), name.data() + name.size());
    }
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelName>();
  }
};

}  // namespace

LogSink make_log_sink() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<LevelName>('*').set_pattern("%Y-%m-%d %H:%M:%S,%e : %* : %v");
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  sink->set_formatter(std::move(formatter));
  auto logger = std::make_shared<spdlog::logger>("extproc", std::move(sink));
  // The server has dropped what its level hides.
  logger->set_level(spdlog::level::trace);
  return [logger](LogLevel level, std::string_view message) {
    logger->log(to_spdlog(level), spdlog::string_view_t(message.data(), message.size()));
  };
}

}  // namespace extproc::cli
