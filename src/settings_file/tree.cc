#include "settings_file/tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "base/setting_limits.h"
#include "extproc/error.h"

namespace extproc::settings_file {
namespace {

using detail::SettingNode;
using Kind = SettingNode::Kind;

/// Makes a tree of what yaml-cpp tells.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Errors& errors) : errors_(errors) {}

  SettingNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail(mark, "a second document begins: write all settings in one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add({.line = line(mark)});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    refuse_anchor(mark, 1);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    const bool is_str = tag == "tag:yaml.org,2002:str";
    if (!is_str) refuse_tag(mark, tag);
    add({.kind = Kind::scalar, .quoted = is_str || tag == "!", .line = line(mark), .text = value});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    begin(mark, tag, anchor, Kind::list);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    begin(mark, tag, anchor, Kind::mapping);
  }
  void OnMapEnd() override { end(); }

 private:
  /// A list or a mapping that has begun.
  struct Open {
    SettingNode node;
    /// Of a mapping: the key whose value comes next.
    bool has_key = false;
  };

  static int line(const YAML::Mark& mark) { return mark.line + 1; }

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& why) const {
    throw Error(place(errors_.file(), line(mark)) + ": " + why);
  }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor != 0) fail(mark, "anchors and aliases (& and *) are not read: write it out");
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag != "?" && tag != "!" && !tag.empty())
      fail(mark, "tags (!...) are not read: write the value alone");
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (awaits_key()) fail(mark, "a key must be a text");
    if (open_.size() >= kMostSettingLevels)
      fail(mark, "it has more than " + std::to_string(kMostSettingLevels) + " levels");
    open_.push_back({.node = {.kind = kind, .line = line(mark)}});
  }

  void end() {
    SettingNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  bool awaits_key() const {
    return !open_.empty() && open_.back().node.kind == Kind::mapping && !open_.back().has_key;
  }

  void add(SettingNode node) {
    if (++values_ > kMostSettingValues)
      throw Error(place(errors_.file(), node.line) + ": it has more than " +
                  std::to_string(kMostSettingValues) + " values");
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
    if (node.kind != Kind::scalar)
      throw Error(place(errors_.file(), node.line) + ": a key must be a text");
    for (const auto& key : in.node.keys) {
      if (key.name == node.text)
        errors_.add(node.line, node.text + " is given twice, before in line " +
                                   std::to_string(key.line) + ": give it once");
    }
    in.node.keys.push_back({std::move(node.text), node.line});
    in.has_key = true;
  }

  Errors& errors_;
  SettingNode root_;
  std::vector<Open> open_;
  std::size_t values_ = 0;
  int documents_ = 0;
};

bool is_number(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (text == ".inf" || text == ".nan") return true;
  if (text.empty() || !(text.front() == '.' || (text.front() >= '0' && text.front() <= '9')))
    return false;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return end == text.data() + text.size() && error != std::errc::invalid_argument;
}

}  // namespace

bool is_text(const SettingNode& scalar) {
  if (scalar.quoted) return true;
  for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (scalar.text == word) return false;
  }
  return !is_number(scalar.text);
}

std::string read_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw Error(path + ": there is no such file");
  if (!std::filesystem::is_regular_file(path, error)) throw Error(path + " is no file");
  std::ifstream in(path, std::ios::binary);
  std::string text(kMostSettingBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof() && in.fail()) throw Error(path + ": cannot be read: look at its permissions");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMostSettingBytes)
    throw Error(path + " has more than " + std::to_string(kMostSettingBytes) + " bytes");
  return text;
}

SettingNode read_tree(std::string_view text, Errors& errors) {
  if (text.size() > kMostSettingBytes)
    throw Error(errors.file() + " has more than " + std::to_string(kMostSettingBytes) + " bytes");
  std::istringstream in{std::string(text)};
  TreeBuilder builder(errors);
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    throw Error(place(errors.file(), error.mark.is_null() ? 0 : error.mark.line + 1) +
                ": it is no YAML: " + error.msg);
  }
  return builder.take();
}

}  // namespace extproc::settings_file
