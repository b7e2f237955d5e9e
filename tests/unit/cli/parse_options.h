#pragma once

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/options.h"

namespace extproc::cli {

inline ParseResult parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "extproc");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

/// The options of a command that was understood.
template <class T>
std::optional<T> parse_as(std::vector<const char*> arguments) {
  auto result = parse(std::move(arguments));
  if (!result.command || !std::holds_alternative<T>(*result.command)) return std::nullopt;
  return std::get<T>(*std::move(result.command));
}

/// What is said of wrong usage, which ends with a hint.
inline std::string refused(std::vector<const char*> arguments) {
  const std::string command = arguments.empty() ? "" : arguments.front();
  ::testing::internal::CaptureStderr();
  const auto result = parse(std::move(arguments));
  std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_FALSE(result.command);
  EXPECT_EQ(result.exit_status, kWrongUsage);
  EXPECT_THAT(text, ::testing::AllOf(::testing::StartsWith("extproc: "),
                                     ::testing::HasSubstr("see extproc " + command + " --help")));
  return text;
}

}  // namespace extproc::cli
