#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/export.h"

namespace extproc {

/// What an answer does to a list of headers: `envoy.service.ext_proc.v3.HeaderMutation`. Envoy
/// applies the removes first, then the sets and appends in the order given. Names are lower-cased
/// and both are copied.
class EXTPROC_API HeaderMutation {
 public:
  enum class Operation : std::uint8_t { set, append, remove };

  struct Entry {
    Operation operation;
    std::string_view name;
    std::string_view value;  ///< empty for remove
  };

  /// Overwrites every entry of `name` with one.
  void set(std::string_view name, std::string_view value) { add(Operation::set, name, value); }
  /// Adds an entry, besides those that exist.
  void append(std::string_view name, std::string_view value) {
    add(Operation::append, name, value);
  }
  /// Removes every entry of `name`. Envoy refuses this for `host` and pseudo-headers.
  void remove(std::string_view name) { add(Operation::remove, name, {}); }

  /// Adds what `entry` does, of another one.
  void add(const Entry& entry) { add(entry.operation, entry.name, entry.value); }

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  /// Of all names and values.
  std::size_t bytes() const { return text_.size(); }
  /// The entry at `index`, in the order of the calls; valid until the next change.
  Entry at(std::size_t index) const {
    const Slice& slice = entries_[index];
    const char* name = text_.data() + slice.offset;
    return {slice.operation, {name, slice.name_size}, {name + slice.name_size, slice.value_size}};
  }
  /// Whether an entry other than a remove names `name`.
  bool sets(std::string_view name) const;

  /// Empties it; memory is kept for the next use.
  void clear();

 private:
  struct Slice {
    std::uint32_t offset;
    std::uint32_t name_size;
    std::uint32_t value_size;
    Operation operation;
  };

  void add(Operation operation, std::string_view name, std::string_view value);

  std::string text_;
  std::vector<Slice> entries_;
};

}  // namespace extproc
