#include "envoy/check/legible.h"

#include <algorithm>
#include <cstddef>

#include "envoy/message_reader.h"
#include "envoy/yaml_node.h"
#include "extproc/error.h"

namespace extproc::envoy_config {
namespace {

/// A text stands for at most as many nodes, or for as many as it has bytes, which is more than it
/// has without aliases.
constexpr std::size_t kNodes = 1'000'000;
/// The parser allows half of it.
constexpr std::size_t kDepth = 1'000;

[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& why) {
  throw Error("line " + std::to_string(mark.line + 1) + ", column " +
              std::to_string(mark.column + 1) + ": " + why);
}

/// Walks all that a document stands for.
class Walker {
 public:
  explicit Walker(std::size_t nodes) : left_(nodes) {}

  void visit(const YAML::Node& node) {
    if (left_ == 0) {
      refuse(outermost_alias(node), "its aliases stand for more than " + std::to_string(kNodes) +
                                        " values: write out what they are for");
    }
    --left_;
    if (path_.size() == kDepth) refuse_depth(node);
    if (!node.IsMap() && !node.IsSequence()) return;
    path_.push_back(node);
    for (const auto& entry : node) {
      if (node.IsSequence()) {
        visit(entry);
      } else {
        visit(entry.first);
        visit(entry.second);
      }
    }
    path_.pop_back();
  }

 private:
  /// What stands within itself is the first of the path that is in it again.
  [[noreturn]] void refuse_depth(const YAML::Node& node) const {
    for (auto outer = path_.begin(); outer != path_.end(); ++outer) {
      const bool again = std::any_of(outer + 1, path_.end(),
                                     [&](const YAML::Node& inner) { return inner.is(*outer); });
      if (again) refuse(outer->Mark(), "an alias in it stands for the whole of it, without end");
    }
    refuse(node.Mark(), "it is more than " + std::to_string(kDepth) + " levels deep");
  }

  /// Of the nodes around it the outermost that stands behind what is around that: an alias's.
  YAML::Mark outermost_alias(const YAML::Node& node) const {
    for (std::size_t i = 1; i < path_.size(); ++i) {
      if (path_[i].Mark().pos < path_[i - 1].Mark().pos) return path_[i].Mark();
    }
    return node.Mark();
  }

  std::size_t left_;
  std::vector<YAML::Node> path_;
};

bool looks_like_a_template(const std::string& yaml) {
  return yaml.find("{{") != std::string::npos || yaml.find("{%") != std::string::npos;
}

constexpr const char* kRender = "check what the template is rendered to";

void add_refused(const YAML::Node& node, std::vector<Problem>& problems) {
  if (!node.IsMap() && !node.IsSequence()) return;
  for (const auto& entry : node) {
    if (node.IsSequence()) {
      add_refused(entry, problems);
      continue;
    }
    if (text(entry.first) == "<<") {
      problems.push_back({place_of(entry.first), "merge-key",
                          "Envoy knows no merge keys: << is an unknown field to it, and it refuses "
                          "the configuration",
                          "write the fields out, or make the whole value an alias"});
    }
    if (!entry.first.IsScalar()) {
      problems.push_back({place_of(entry.first), "template",
                          "a key that is no text: a placeholder of a template, and Envoy refuses "
                          "the configuration",
                          kRender});
    }
    add_refused(entry.second, problems);
  }
}

}  // namespace

std::vector<YAML::Node> parse_documents(const std::string& yaml) {
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(yaml);
  } catch (const YAML::Exception& error) {
    refuse(
        error.mark,
        "it is not YAML that Envoy would read: " + error.msg +
            (looks_like_a_template(yaml) ? std::string("; if it is a template, ") + kRender : ""));
  }
  Walker walker(std::max(kNodes, yaml.size()));
  for (const YAML::Node& root : documents) walker.visit(root);
  return documents;
}

std::vector<Problem> refused_of(const std::vector<YAML::Node>& documents) {
  std::vector<Problem> problems;
  for (const YAML::Node& root : documents) add_refused(root, problems);
  return problems;
}

}  // namespace extproc::envoy_config
