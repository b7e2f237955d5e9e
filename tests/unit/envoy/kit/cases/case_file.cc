#include "envoy/kit/cases/case_file.h"

#include <algorithm>
#include <filesystem>

namespace extproc::testing::cases {
namespace {

// "{i}" becomes the number.
YAML::Node numbered(const YAML::Node& node, const std::string& number) {
  YAML::Node copy = YAML::Clone(node);
  if (node.IsScalar()) {
    std::string text = node.Scalar();
    for (auto at = text.find("{i}"); at != std::string::npos; at = text.find("{i}"))
      text.replace(at, 3, number);
    copy = text;
    copy.SetTag(node.Tag());
  } else if (node.IsMap()) {
    for (const auto& entry : node) copy[entry.first.Scalar()] = numbered(entry.second, number);
  } else if (node.IsSequence()) {
    for (std::size_t i = 0; i < node.size(); ++i) copy[i] = numbered(node[i], number);
  }
  return copy;
}

bool has_keys(const YAML::Node& node, const char* one, const char* other) {
  return node.IsMap() && node.size() == 2 && node[one] && node[other];
}

// {each: n, of: x} in a list is n times x with {i} replaced; {repeat: n, of: x} is one long text.
YAML::Node expand(const YAML::Node& node) {
  if (has_keys(node, "repeat", "of")) {
    std::string text;
    for (int i = 0; i < node["repeat"].as<int>(); ++i) text += node["of"].Scalar();
    YAML::Node scalar(text);
    scalar.SetTag("!");
    return scalar;
  }
  if (node.IsMap()) {
    YAML::Node map(YAML::NodeType::Map);
    for (const auto& entry : node) map[entry.first.Scalar()] = expand(entry.second);
    return map;
  }
  if (!node.IsSequence()) return YAML::Clone(node);
  YAML::Node list(YAML::NodeType::Sequence);
  for (const auto& item : node) {
    if (!has_keys(item, "each", "of")) {
      list.push_back(expand(item));
      continue;
    }
    for (int i = 0; i < item["each"].as<int>(); ++i)
      list.push_back(expand(numbered(item["of"], std::to_string(i))));
  }
  return list;
}

// A mapping is merged key by key; anything else replaces.
YAML::Node merge(const YAML::Node& base, const YAML::Node& over) {
  if (!base.IsDefined() || !base.IsMap() || !over.IsMap()) return YAML::Clone(over);
  YAML::Node merged = YAML::Clone(base);
  for (const auto& entry : over) {
    const std::string key = entry.first.Scalar();
    const YAML::Node below = base[key];
    merged[key] = below.IsDefined() ? merge(below, entry.second) : YAML::Clone(entry.second);
  }
  return merged;
}

}  // namespace

std::vector<Case> load_cases(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());

  const YAML::Node common = YAML::LoadFile((fs::path(folder) / "common.yaml").string())["base"];
  std::vector<Case> cases;
  for (const auto& file : files) {
    const YAML::Node document = YAML::LoadFile(file.string());
    const YAML::Node own = document["base"];
    const YAML::Node base = own ? merge(expand(common), expand(own)) : expand(common);
    for (const auto& item : document["cases"]) {
      cases.push_back(
          {file.stem().string() + "." + item["name"].Scalar(), merge(base, expand(item))});
    }
  }
  return cases;
}

std::string text_of(const YAML::Node& node, const std::string& fallback) {
  return node.IsDefined() && node.IsScalar() ? node.Scalar() : fallback;
}

std::string latin1(const std::string& utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80 || i + 1 == utf8.size()) {
      bytes.push_back(utf8[i]);
    } else {
      bytes.push_back(
          static_cast<char>(((byte & 3U) << 6U) | (static_cast<unsigned char>(utf8[++i]) & 63U)));
    }
  }
  return bytes;
}

bool is_plain(const YAML::Node& node) { return node.IsScalar() && node.Tag() != "!"; }

}  // namespace extproc::testing::cases
