#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace extproc {

/// Leaves it as a new one, without memory. Assigning an empty text or container may keep it all.
template <class Container>
void release(Container& container) {
  Container().swap(container);
}

/// Empties what is used again and again, and keeps its memory unless an exceptional use made it
/// larger than `kept`, in characters or elements.
inline void recycle(std::string& text, std::size_t kept) {
  text.clear();
  if (text.capacity() > kept) release(text);
}
template <class T>
void recycle(std::vector<T>& list, std::size_t kept) {
  list.clear();
  if (list.capacity() > kept) release(list);
}

}  // namespace extproc
