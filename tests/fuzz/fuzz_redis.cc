// Bytes as replies of RESP: in one piece and in pieces, which must come to the same.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "blocks/redis/reply_reader.h"
#include "check.h"
#include "input.h"

namespace extproc::fuzz {
namespace {

constexpr std::size_t kMostBytes = 20'000;

struct Outcome {
  std::vector<redis::Value> replies;
  bool refused = false;
  bool between = true;
};

std::size_t memory_of(const redis::Value& value) {
  std::size_t bytes = sizeof(redis::Value) + value.text.size();
  for (const redis::Value& item : value.items) bytes += memory_of(item);
  return bytes;
}

/// NaN is no value's equal.
bool same(const redis::Value& a, const redis::Value& b) {
  if (a.kind != b.kind || a.text != b.text || a.integer != b.integer ||
      a.items.size() != b.items.size()) {
    return false;
  }
  if (a.number != b.number && !(a.number != a.number && b.number != b.number)) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!same(a.items[i], b.items[i])) return false;
  }
  return true;
}

/// `sizes` are used in turn; none: all in one.
Outcome read(std::string_view bytes, std::string_view sizes) {
  redis::ReplyReader reader(kMostBytes);
  Outcome outcome;
  try {
    for (std::size_t i = 0; !bytes.empty(); ++i) {
      const std::size_t size =
          sizes.empty() ? bytes.size() : static_cast<unsigned char>(sizes[i % sizes.size()]) + 1;
      std::string_view piece = bytes.substr(0, size);
      bytes.remove_prefix(piece.size());
      redis::Value reply;
      while (reader.take(piece, reply)) {
        check(memory_of(reply) <= kMostBytes, "a reply is within its bound");
        outcome.replies.push_back(std::exchange(reply, {}));
      }
      check(piece.empty(), "all of it is taken");
    }
  } catch (const redis::ReplyError&) {
    outcome.refused = true;
    return outcome;
  }
  outcome.between = reader.between_replies();
  return outcome;
}

}  // namespace
}  // namespace extproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace extproc::fuzz;
  Input input(data, size);
  const std::string_view sizes = input.take(input.byte() % 8);
  const std::string_view bytes = input.take(size);
  const Outcome whole = read(bytes, {});
  const Outcome cut = read(bytes, sizes.empty() ? std::string_view("\0", 1) : sizes);
  check(whole.refused == cut.refused, "a cut changes nothing of what is refused");
  check(whole.between == cut.between, "nor of where it ends");
  check(whole.replies.size() == cut.replies.size(), "nor of how many there are");
  for (std::size_t i = 0; i < whole.replies.size(); ++i) {
    check(same(whole.replies[i], cut.replies[i]), "nor of any");
  }
  return 0;
}
