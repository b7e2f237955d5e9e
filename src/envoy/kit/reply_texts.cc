#include "envoy/kit/reply_texts.h"

#include <algorithm>
#include <cstddef>

namespace extproc::testing::envoy {
namespace {

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i++]);
    if (first < 0x80) continue;
    if (first < 0xc2 || first > 0xf4) return false;
    const int more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    // The second byte bounds what is too long a form, a surrogate, or too large.
    unsigned least = 0x80, most = 0xbf;
    if (first == 0xe0) least = 0xa0;
    if (first == 0xed) most = 0x9f;
    if (first == 0xf0) least = 0x90;
    if (first == 0xf4) most = 0x8f;
    for (int left = more; left > 0; --left, ++i) {
      if (i == text.size()) return false;
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < least || byte > most) return false;
      least = 0x80;
      most = 0xbf;
    }
  }
  return true;
}

bool is_utf8(const std::optional<Mutation>& mutation) {
  if (!mutation) return true;
  return std::all_of(mutation->set.begin(), mutation->set.end(),
                     [](const HeaderOption& option) {
                       return is_utf8(option.name) && is_utf8(option.value);
                     }) &&
         std::all_of(mutation->remove.begin(), mutation->remove.end(),
                     [](const std::string& name) { return is_utf8(name); });
}

}  // namespace

bool texts_are_utf8(const Reply& reply) {
  if (!is_utf8(reply.common.headers) || !is_utf8(reply.immediate.headers) ||
      !is_utf8(reply.immediate.details))
    return false;
  for (const auto& [name, value] : reply.streamed.headers)
    if (!is_utf8(name)) return false;
  for (const auto& typed : reply.typed_dynamic_metadata)
    if (!is_utf8(typed.name) || !is_utf8(typed.type_url)) return false;
  if (!reply.dynamic_metadata) return true;
  return std::all_of(reply.dynamic_metadata->begin(), reply.dynamic_metadata->end(),
                     [](const auto& entry) { return is_utf8(entry.first); });
}

}  // namespace extproc::testing::envoy
