#include "extproc/own_settings.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/nearest.h"
#include "base/values.h"
#include "extproc/detail/setting_node.h"
#include "extproc/error.h"

namespace extproc {
namespace detail {

/// What copies share.
struct OwnState {
  SettingNode root;
  std::string file;
  /// Of each mapping the names that were asked for.
  std::map<const SettingNode*, std::set<std::string, std::less<>>> asked{};
};

}  // namespace detail

namespace {

using detail::SettingNode;
using Kind = SettingNode::Kind;

constexpr std::size_t kMostErrors = 20;

std::string place(const std::string& file, int line) {
  if (file.empty()) return {};
  return line > 0 ? file + ":" + std::to_string(line) : file;
}

std::string before(const std::string& place) { return place.empty() ? place : place + ": "; }

std::string of(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

template <class T>
std::optional<T> number_of(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string what_it_is(const SettingNode& node) {
  if (node.kind == Kind::list) return "a list";
  if (node.kind == Kind::mapping) return "a mapping";
  return node.kind == Kind::nothing ? "nothing" : "\"" + node.text + "\"";
}

/// Tells of keys that nobody asked for.
class UnreadKeys {
 public:
  explicit UnreadKeys(const detail::OwnState& state) : state_(state) {}

  void look(const SettingNode& node, const std::string& path) {
    if (node.kind == Kind::list) {
      for (std::size_t i = 0; i < node.items.size(); ++i)
        look(node.items[i], path + "[" + std::to_string(i) + "]");
    }
    if (node.kind != Kind::mapping) return;
    const auto asked = state_.asked.find(&node);
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const std::string& name = node.keys[i].name;
      if (asked != state_.asked.end() && asked->second.contains(name)) {
        look(node.items[i], of(path, name));
      } else {
        tell(node.keys[i], of(path, name), asked == state_.asked.end() ? nullptr : &asked->second);
      }
    }
  }

  const std::string& text() const { return text_; }

 private:
  void tell(const SettingNode::Key& key, const std::string& path,
            const std::set<std::string, std::less<>>* asked) {
    if (++count_ > kMostErrors) return;
    if (!text_.empty()) text_ += '\n';
    text_ += before(place(state_.file, key.line)) + path + " is read by nobody: ";
    std::vector<std::string_view> names;
    if (asked != nullptr) names.assign(asked->begin(), asked->end());
    const std::string meant = likely_meant(key.name, names);
    if (!meant.empty()) {
      text_ += "did you mean \"" + meant + "\"?";
    } else if (names.empty()) {
      text_ += "leave it out";
    } else {
      text_ += "there are";
      for (const auto name : names) text_.append(" ").append(name);
    }
  }

  const detail::OwnState& state_;
  std::string text_;
  std::size_t count_ = 0;
};

}  // namespace

OwnSettings::OwnSettings() : OwnSettings(SettingNode{.kind = Kind::mapping}, {}, {}) {}

OwnSettings::OwnSettings(SettingNode node, std::string file, std::string path)
    : state_(std::make_shared<detail::OwnState>(std::move(node), std::move(file))),
      node_(&state_->root),
      path_(std::move(path)) {}

OwnSettings::OwnSettings(std::shared_ptr<detail::OwnState> state, const SettingNode* node,
                         std::string path)
    : state_(std::move(state)), node_(node), path_(std::move(path)) {}

SettingNode& OwnSettings::change(std::string name) {
  auto state = std::make_shared<detail::OwnState>(*node_, state_->file);
  SettingNode& root = state->root;
  root.kind = Kind::mapping;
  if (root.find(name) == nullptr) {
    root.keys.push_back({name});
    root.items.emplace_back();
  }
  state_ = std::move(state);
  node_ = &root;
  return const_cast<SettingNode&>(*root.find(name));
}

OwnSettings& OwnSettings::set(std::string name, std::string value) {
  change(std::move(name)) = {.kind = Kind::scalar, .text = std::move(value)};
  return *this;
}

OwnSettings& OwnSettings::set(std::string name, const std::vector<std::string>& values) {
  SettingNode list{.kind = Kind::list};
  for (const std::string& value : values)
    list.items.push_back({.kind = Kind::scalar, .text = value});
  change(std::move(name)) = std::move(list);
  return *this;
}

OwnSettings& OwnSettings::set(std::string name, const OwnSettings& mapping) {
  SettingNode copy = *mapping.node_;
  change(std::move(name)) = std::move(copy);
  return *this;
}

OwnSettings& OwnSettings::set(std::string name, const std::vector<OwnSettings>& mappings) {
  SettingNode list{.kind = Kind::list};
  for (const OwnSettings& each : mappings) list.items.push_back(*each.node_);
  change(std::move(name)) = std::move(list);
  return *this;
}

OwnSettings::Value OwnSettings::take(std::string_view name) const {
  state_->asked[node_].emplace(name);
  const SettingNode* found = node_->find(name);
  if (found == nullptr || found->kind == Kind::nothing) return {};
  return {found, of(path_, name)};
}

bool OwnSettings::has(std::string_view name) const { return take(name).node != nullptr; }

std::vector<std::string> OwnSettings::names() const {
  std::vector<std::string> names;
  names.reserve(node_->keys.size());
  for (const auto& key : node_->keys) names.push_back(key.name);
  return names;
}

std::string OwnSettings::where() const { return place(state_->file, node_->line); }

void OwnSettings::check_all_read() const {
  UnreadKeys unread(*state_);
  unread.look(*node_, path_);
  if (!unread.text().empty()) throw Error(unread.text());
}

void OwnSettings::refuse_missing(std::string_view name) const {
  throw Error(before(where()) + of(path_, name) +
              " is missing: it must be given in the processor's settings");
}

void OwnSettings::refuse(const Value& value, std::string_view accepted) const {
  throw Error(before(place(state_->file, value.node->line)) + value.path + " is " +
              what_it_is(*value.node) + ": it must be " + std::string(accepted));
}

const std::string& OwnSettings::scalar(const Value& value, std::string_view accepted) const {
  if (value.node->kind != Kind::scalar) refuse(value, accepted);
  return value.node->text;
}

bool OwnSettings::read_bool(const Value& value) const {
  constexpr std::string_view kAccepted = "true or false";
  const std::string& text = scalar(value, kAccepted);
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text != "false" && text != "False" && text != "FALSE") refuse(value, kAccepted);
  return false;
}

std::string OwnSettings::read_text(const Value& value) const { return scalar(value, "a text"); }

OwnSettings OwnSettings::read_mapping(const Value& value) const {
  if (value.node->kind != Kind::mapping) refuse(value, "a mapping");
  return {state_, value.node, value.path};
}

std::uint64_t OwnSettings::read_bytes(const Value& value) const {
  if (const auto bytes = parse_bytes(scalar(value, kAcceptedBytes))) return *bytes;
  refuse(value, kAcceptedBytes);
}

std::chrono::milliseconds OwnSettings::read_time(const Value& value) const {
  if (const auto time = parse_seconds(scalar(value, kAcceptedSeconds))) return *time;
  refuse(value, kAcceptedSeconds);
}

double OwnSettings::read_number(const Value& value) const {
  constexpr std::string_view kAccepted = "a number, as in 0.5";
  if (const auto number = number_of<double>(scalar(value, kAccepted))) return *number;
  refuse(value, kAccepted);
}

std::int64_t OwnSettings::read_signed(const Value& value, std::int64_t least,
                                      std::int64_t most) const {
  const std::string accepted =
      "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  const auto number = number_of<std::int64_t>(scalar(value, accepted));
  if (!number || *number < least || *number > most) refuse(value, accepted);
  return *number;
}

std::uint64_t OwnSettings::read_unsigned(const Value& value, std::uint64_t most) const {
  const std::string accepted = "a whole number from 0 to " + std::to_string(most);
  const auto number = number_of<std::uint64_t>(scalar(value, accepted));
  if (!number || *number > most) refuse(value, accepted);
  return *number;
}

std::vector<OwnSettings::Value> OwnSettings::read_list(const Value& value) const {
  if (value.node->kind != Kind::list) refuse(value, "a list");
  std::vector<Value> list;
  for (std::size_t i = 0; i < value.node->items.size(); ++i)
    list.push_back({&value.node->items[i], value.path + "[" + std::to_string(i) + "]"});
  return list;
}

}  // namespace extproc
