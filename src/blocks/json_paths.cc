// Which fields are looked for.
#include <algorithm>
#include <bit>
#include <charconv>

#include "extproc/error.h"
#include "extproc/json_fields.h"

namespace extproc {

namespace {
namespace json_paths {

constexpr std::size_t kMost = 64;

[[noreturn]] void refuse(const std::string& pointer, const std::string& why) {
  throw Error("the path \"" + pointer + "\" of a JSON field " + why);
}

/// A part of a pointer, in which ~1 is '/' and ~0 is '~'.
std::string unescaped(std::string_view text, const std::string& pointer) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '~') {
      result += text[i];
      continue;
    }
    if (++i == text.size() || (text[i] != '0' && text[i] != '1')) {
      refuse(pointer, "has a '~' without 0 or 1 behind it: write ~0 for '~', and ~1 for '/'");
    }
    result += text[i] == '0' ? '~' : '/';
  }
  return result;
}

std::optional<std::uint64_t> index_of(std::string_view name) {
  std::uint64_t index = 0;
  const char* const end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, index);
  if (parsed.ec != std::errc{} || parsed.ptr != end || (name.size() > 1 && name[0] == '0')) {
    return std::nullopt;
  }
  return index;
}

template <class Path>
Path parse(const std::string& pointer) {
  Path path;
  std::string_view rest = pointer;
  if (!rest.empty() && rest.front() != '/') {
    refuse(pointer,
           "does not begin with '/': it is a JSON Pointer, such as \"/usage/total_tokens\"");
  }
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto end = std::min(rest.find('/'), rest.size());
    const std::string name = unescaped(rest.substr(0, end), pointer);
    path.push_back({name, index_of(name), name == "*"});
    rest.remove_prefix(end);
  }
  return path;
}

/// Whether one can be the other, or a part of it.
template <class Path>
bool overlap(const Path& a, const Path& b) {
  return std::equal(a.begin(), a.begin() + std::min(a.size(), b.size()), b.begin(),
                    [](const auto& x, const auto& y) {
                      return x.name == y.name || (x.any_index && y.index) ||
                             (x.index && y.any_index);
                    });
}

/// Calls `visit` with each of the set's bits.
template <class Visit>
void for_each(std::uint64_t set, const Visit& visit) {
  for (; set != 0; set &= set - 1) visit(static_cast<std::size_t>(std::countr_zero(set)));
}

}  // namespace json_paths
}  // namespace

JsonPaths::JsonPaths(const std::vector<std::string>& pointers) {
  if (pointers.size() > json_paths::kMost) {
    throw Error("there are " + std::to_string(pointers.size()) +
                " paths of JSON fields: at most 64 can be looked for at once");
  }
  for (const std::string& pointer : pointers) {
    const Path path = json_paths::parse<Path>(pointer);
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      if (json_paths::overlap(path, paths_[i])) {
        json_paths::refuse(pointer, "can be \"" + pointers[i] +
                                        "\" or a part of it, or the other way round: look for one "
                                        "of them");
      }
    }
    for (const Segment& segment : path) {
      longest_name_ = std::max(longest_name_, segment.name.size());
    }
    paths_.push_back(path);
  }
}

std::uint64_t JsonPaths::matching(std::uint64_t among, std::size_t level,
                                  std::string_view name) const {
  std::uint64_t result = 0;
  json_paths::for_each(among, [&](std::size_t i) {
    if (paths_[i][level].name == name) result |= std::uint64_t{1} << i;
  });
  return result;
}

std::uint64_t JsonPaths::matching(std::uint64_t among, std::size_t level,
                                  std::uint64_t index) const {
  std::uint64_t result = 0;
  json_paths::for_each(among, [&](std::size_t i) {
    const Segment& segment = paths_[i][level];
    if (segment.any_index || segment.index == index) result |= std::uint64_t{1} << i;
  });
  return result;
}

std::optional<std::size_t> JsonPaths::ending(std::uint64_t among, std::size_t level) const {
  std::optional<std::size_t> result;
  json_paths::for_each(among, [&](std::size_t i) {
    if (!result && paths_[i].size() == level) result = i;
  });
  return result;
}

}  // namespace extproc
