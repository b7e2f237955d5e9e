#include "grpc/timeout.h"

#include <algorithm>
#include <cstdint>

namespace extproc::grpc {
namespace {

using std::chrono::nanoseconds;

std::optional<nanoseconds> parse_unit(char unit) {
  using namespace std::chrono_literals;
  switch (unit) {
    case 'H':
      return 1h;
    case 'M':
      return 1min;
    case 'S':
      return 1s;
    case 'm':
      return 1ms;
    case 'u':
      return 1us;
    case 'n':
      return 1ns;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<nanoseconds> parse_timeout(std::string_view value) {
  constexpr std::size_t kMaxDigits = 8;
  if (value.size() < 2 || value.size() > kMaxDigits + 1) return std::nullopt;
  const std::optional<nanoseconds> unit = parse_unit(value.back());
  value.remove_suffix(1);
  if (!unit ||
      !std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  std::int64_t count = 0;
  for (const char digit : value) count = count * 10 + (digit - '0');
  const nanoseconds longest = kLongestTimeout;
  return count > longest / *unit ? longest : count * *unit;
}

}  // namespace extproc::grpc
