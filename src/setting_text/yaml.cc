#include "setting_text/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/setting_limits.h"
#include "extproc/error.h"
#include "setting_text/place.h"

namespace extproc::setting_text {
namespace {

using detail::SettingNode;
using Kind = SettingNode::Kind;

std::string_view view_of(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

int line_of(const yaml_mark_t& mark) { return static_cast<int>(mark.line) + 1; }

class Event {
 public:
  Event() = default;
  ~Event() { yaml_event_delete(&event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  yaml_event_t* operator->() { return &event_; }
  const yaml_event_t& operator*() const { return event_; }
  yaml_event_t* get() { return &event_; }

 private:
  yaml_event_t event_{};
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  ~Parser() { yaml_parser_delete(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  bool next(Event& event) { return yaml_parser_parse(&parser_, event.get()) != 0; }
  int line() const {
    if (parser_.error != YAML_READER_ERROR) return line_of(parser_.problem_mark);
    // It has no mark, as bytes are read ahead.
    const auto before = text_.substr(0, parser_.problem_offset);
    return static_cast<int>(std::ranges::count(before, '\n')) + 1;
  }
  std::string problem() const {
    return parser_.problem == nullptr ? "it cannot be read" : parser_.problem;
  }

 private:
  const std::string_view text_;
  yaml_parser_t parser_{};
};

/// Makes a tree of what the parser tells.
class TreeBuilder {
 public:
  TreeBuilder(const std::string& name, const KeyTwice& twice) : name_(name), twice_(twice) {}

  SettingNode take() { return std::move(root_); }

  void add(const yaml_event_t& event) {
    const int line = line_of(event.start_mark);
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (++documents_ > 1) fail(line, "a second document begins: write all settings in one");
        return;
      case YAML_ALIAS_EVENT:
        return refuse_anchors(line);
      case YAML_SCALAR_EVENT:
        return add_scalar(line, event.data.scalar);
      case YAML_SEQUENCE_START_EVENT:
        return begin(line, Kind::list, event.data.sequence_start.anchor,
                     event.data.sequence_start.tag);
      case YAML_MAPPING_START_EVENT:
        return begin(line, Kind::mapping, event.data.mapping_start.anchor,
                     event.data.mapping_start.tag);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT:
        return end();
      default:
        return;
    }
  }

 private:
  /// A list or a mapping that has begun.
  struct Open {
    SettingNode node;
    /// Of a mapping: the key whose value comes next.
    bool has_key = false;
  };

  [[noreturn]] void fail(int line, const std::string& why) const {
    throw Error(place(name_, line) + ": " + why);
  }
  [[noreturn]] void refuse_anchors(int line) const {
    fail(line, "anchors and aliases (& and *) are not read: write it out");
  }
  void refuse(int line, const yaml_char_t* anchor, std::string_view tag) const {
    if (anchor != nullptr) refuse_anchors(line);
    if (!tag.empty() && tag != "!") fail(line, "tags (!...) are not read: write the value alone");
  }

  template <class Scalar>
  void add_scalar(int line, const Scalar& scalar) {
    constexpr std::array<std::string_view, 5> kNothing{"", "~", "null", "Null", "NULL"};
    const std::string_view tag = view_of(scalar.tag);
    const bool is_str = tag == YAML_STR_TAG;
    refuse(line, scalar.anchor, is_str ? std::string_view() : tag);
    const bool quoted = is_str || tag == "!" || scalar.style != YAML_PLAIN_SCALAR_STYLE;
    std::string text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    if (!quoted && std::ranges::find(kNothing, text) != kNothing.end()) return put({.line = line});
    put({.kind = Kind::scalar, .quoted = quoted, .line = line, .text = std::move(text)});
  }

  void begin(int line, Kind kind, const yaml_char_t* anchor, const yaml_char_t* tag) {
    refuse(line, anchor, view_of(tag));
    if (awaits_key()) fail(line, "a key must be a text");
    if (open_.size() >= kMostSettingLevels)
      fail(line, "it has more than " + std::to_string(kMostSettingLevels) + " levels");
    open_.push_back({.node = {.kind = kind, .line = line}});
  }

  void end() {
    SettingNode node = std::move(open_.back().node);
    open_.pop_back();
    put(std::move(node));
  }

  bool awaits_key() const {
    return !open_.empty() && open_.back().node.kind == Kind::mapping && !open_.back().has_key;
  }

  void put(SettingNode node) {
    if (++values_ > kMostSettingValues)
      fail(node.line, "it has more than " + std::to_string(kMostSettingValues) + " values");
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& in = open_.back();
    if (!awaits_key()) {
      in.has_key = false;
      in.node.items.push_back(std::move(node));
      return;
    }
    if (node.kind != Kind::scalar) fail(node.line, "a key must be a text");
    for (const auto& key : in.node.keys) {
      if (key.name == node.text)
        twice_(node.line, node.text + " is given twice, before in line " +
                              std::to_string(key.line) + ": give it once");
    }
    in.node.keys.push_back({std::move(node.text), node.line});
    in.has_key = true;
  }

  const std::string& name_;
  const KeyTwice& twice_;
  SettingNode root_;
  std::vector<Open> open_;
  std::size_t values_ = 0;
  int documents_ = 0;
};

}  // namespace

SettingNode read_yaml(std::string_view text, const std::string& name, const KeyTwice& twice) {
  if (text.size() > kMostSettingBytes)
    throw Error(name + " has more than " + std::to_string(kMostSettingBytes) + " bytes");
  Parser parser(text);
  TreeBuilder builder(name, twice);
  while (true) {
    Event event;
    if (!parser.next(event))
      throw Error(place(name, parser.line()) + ": it is no YAML: " + parser.problem());
    if (event->type == YAML_STREAM_END_EVENT) return builder.take();
    builder.add(*event);
  }
}

}  // namespace extproc::setting_text
