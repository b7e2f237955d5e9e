#include "filter/neighbours.h"

#include <charconv>
#include <random>
#include <unordered_map>

namespace extproc::filter {
namespace {

constexpr std::string_view kMark = "extproc-";

using Found = std::unordered_map<std::uint64_t, std::weak_ptr<Neighbours>>;

/// Of a worker.
Found& found() {
  thread_local Found all;
  return all;
}

/// Another file of this kind in the same Envoy has others.
std::uint64_t next_id() {
  thread_local std::uint64_t last = std::uint64_t{std::random_device()()} << 32;
  return ++last;
}

}  // namespace

std::shared_ptr<Neighbours> Neighbours::find(std::string_view marks, std::uint64_t connection) {
  for (auto at = marks.find(kMark); at != std::string_view::npos; at = marks.find(kMark)) {
    marks.remove_prefix(at + kMark.size());
    std::uint64_t id = 0;
    std::from_chars(marks.data(), marks.data() + marks.size(), id, 16);
    const auto there = found().find(id);
    if (there == found().end()) continue;
    if (auto those = there->second.lock(); those != nullptr && those->connection_ == connection)
      return those;
  }
  return nullptr;
}

std::shared_ptr<Neighbours> Neighbours::make(std::uint64_t connection) {
  const std::uint64_t id = next_id();
  std::shared_ptr<Neighbours> those(new Neighbours(id, connection));
  found()[id] = those;
  return those;
}

Neighbours::~Neighbours() { found().erase(id_); }

std::string Neighbours::mark() const {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, id_, 16).ptr;
  return std::string(kMark).append(digits, end);
}

}  // namespace extproc::filter
