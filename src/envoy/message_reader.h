#pragma once

#include <yaml-cpp/yaml.h>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/setting.h"
#include "envoy/yaml_node.h"

namespace extproc::envoy_config {

Place place_of(const YAML::Node& node);

/// A YAML mapping that stands for a protobuf message: every field is asked for by name. What cannot
/// be read is a problem, and has its default.
class MessageReader {
 public:
  /// `type` names the message in problems, which go to `problems`; it and `problems` outlive the
  /// reader.
  MessageReader(const YAML::Node& message, std::string_view type, std::vector<Problem>& problems);

  /// Where a field's name stands, whatever it is set to; nowhere when it is left out.
  Place key_of(std::string_view name) { return place_of(take(name).key); }

  Setting<bool> boolean(std::string_view name);
  Setting<std::string> text(std::string_view name);
  Setting<std::optional<std::chrono::nanoseconds>> duration(std::string_view name);
  Setting<std::chrono::nanoseconds> duration(std::string_view name,
                                             std::chrono::nanoseconds otherwise);
  Setting<std::vector<std::string>> texts(std::string_view name);
  /// The number of an enumerator, by its name or number; `names` has each at its number.
  Setting<std::size_t> choice(std::string_view name, std::span<const std::string_view> names);
  /// A field that is read some other way.
  Field node(std::string_view name) { return take(name); }

  /// What `read` makes of a nested message; its default when that is left out.
  template <class T, class Read>
  Setting<T> message(std::string_view name, std::string_view type, Read read) {
    const Field field = take(name);
    if (!field) return {};
    MessageReader nested(field.value, type, problems_);
    Setting<T> read_value = stated<T>(field, read(nested));
    nested.done();
    return read_value;
  }
  /// The same of each in a list.
  template <class T, class Read>
  std::vector<T> messages(std::string_view name, std::string_view type, Read read) {
    std::vector<T> all;
    for (const YAML::Node& item : items(name)) {
      MessageReader nested(item, type, problems_);
      all.push_back(read(nested));
      nested.done();
    }
    return all;
  }

  /// Fields that are known, and of no interest.
  void ignore(std::initializer_list<std::string_view> names) {
    known_.insert(known_.end(), names.begin(), names.end());
  }
  /// After all fields: those that were not asked for are unknown.
  void done();

  void problem(const YAML::Node& where, std::string_view rule, std::string what, std::string mend) {
    problems_.push_back({place_of(where), rule, std::move(what), std::move(mend)});
  }

 private:
  template <class T>
  static Setting<T> stated(const Field& field, T value) {
    Setting<T> setting(std::move(value));
    setting.key = place_of(field.key);
    setting.place = place_of(field.value);
    return setting;
  }

  Field take(std::string_view name);
  /// A list, or one value in its place.
  std::vector<YAML::Node> items(std::string_view name);
  void refuse_kind(const YAML::Node& value, std::string_view name, std::string_view kind);

  YAML::Node message_;
  std::string_view type_;
  std::vector<Problem>& problems_;
  std::vector<std::string_view> known_{"@type"};
};

}  // namespace extproc::envoy_config
