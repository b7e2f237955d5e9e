#pragma once

#include <cstddef>
#include <string>

namespace extproc {

/// Empties a text that is used again and again, and keeps its memory unless an exceptional use made
/// it larger than `kept` bytes.
inline void recycle(std::string& text, std::size_t kept) {
  text.clear();
  if (text.capacity() > kept) text.shrink_to_fit();
}

/// Leaves it as a new one, without memory. Assigning an empty text or container may keep it all.
template <class Container>
void release(Container& container) {
  Container().swap(container);
}

}  // namespace extproc
