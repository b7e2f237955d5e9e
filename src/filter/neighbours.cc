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

std::uint64_t id_of(std::string_view mark) {
  const auto at = mark.find(kMark);
  if (at == std::string_view::npos) return 0;
  mark.remove_prefix(at + kMark.size());
  std::uint64_t id = 0;
  std::from_chars(mark.data(), mark.data() + mark.size(), id, 16);
  return id;
}

}  // namespace

std::shared_ptr<Neighbours> Neighbours::find(std::string_view mark, std::uint64_t connection) {
  if (const auto there = found().find(id_of(mark)); there != found().end()) {
    if (auto those = there->second.lock(); those != nullptr && those->connection_ == connection)
      return those;
  }
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
