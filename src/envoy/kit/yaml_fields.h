#pragma once

#include <yaml-cpp/yaml.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace extproc::testing::envoy {

/// A YAML mapping that stands for a protobuf message: every field is asked for by name, and one
/// that nobody asked for is an error. All errors are EnvoyConfigError with the line.
class YamlFields {
 public:
  /// `what` names the message in errors.
  YamlFields(const YAML::Node& node, std::string what);

  bool has(std::string_view name);
  bool boolean(std::string_view name, bool fallback = false);
  std::string text(std::string_view name, std::string fallback = {});
  std::int64_t integer(std::string_view name, std::int64_t fallback);
  std::optional<std::chrono::nanoseconds> duration(std::string_view name);
  std::vector<std::string> texts(std::string_view name);
  /// The number of the enumerator that is named, or given as a number.
  int choice(std::string_view name, std::initializer_list<std::pair<std::string_view, int>> values);
  /// A nested message; nothing when it is absent.
  std::optional<YamlFields> message(std::string_view name);
  std::vector<YamlFields> messages(std::string_view name);
  /// Known, and without effect here.
  void ignore(std::initializer_list<std::string_view> names);
  /// Throws when a field was not asked for.
  void done() const;

  [[noreturn]] void fail(std::string_view field, std::string_view problem) const;

 private:
  std::optional<YAML::Node> take(std::string_view name);
  [[noreturn]] static void fail_at(const YAML::Node& node, const std::string& text);

  YAML::Node node_;
  std::string what_;
  std::vector<std::string> known_;
};

}  // namespace extproc::testing::envoy
