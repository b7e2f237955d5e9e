#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace extproc {

/// Empties a text that is used again and again, and keeps its memory unless an exceptional use made
/// it larger than `kept` bytes.
inline void recycle(std::string& text, std::size_t kept) {
  text.clear();
  if (text.capacity() > kept) text.shrink_to_fit();
}

/// The same of a list, in elements.
template <class T>
void recycle(std::vector<T>& list, std::size_t kept) {
  list.clear();
  if (list.capacity() > kept) std::vector<T>().swap(list);
}

}  // namespace extproc
