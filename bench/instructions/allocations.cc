#include "allocations.h"

#include <cstdlib>
#include <new>
#include <utility>

namespace {

bool counting = false;
std::size_t counted = 0;

}  // namespace

namespace bench {

void count_allocations(bool on) { counting = on; }
std::size_t take_allocations() { return std::exchange(counted, 0); }

}  // namespace bench

// The other forms of operator new call this one.
void* operator new(std::size_t size) {
  if (counting) ++counted;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
