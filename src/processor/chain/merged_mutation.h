#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/header_mutation.h"

namespace extproc::detail {

/// The changes of several answers, one after another, as one: for each name whether it is
/// overwritten, and the values that it has then. That holds whatever the headers are.
class MergedMutation {
 public:
  void set(std::string_view name, std::string_view value);
  void append(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  void take(const HeaderMutation::Entry& change);

  bool empty() const { return names_.empty(); }
  void clear() { names_.clear(); }

  std::size_t sets() const;
  std::size_t removes() const;
  /// Adds all of it to `mutation`.
  void write(HeaderMutation& mutation) const;

 private:
  struct Name {
    std::string name;
    bool overwritten = false;
    std::vector<std::string> values;
  };

  Name& of(std::string_view name);

  std::vector<Name> names_;  // in the order in which they were named first
};

}  // namespace extproc::detail
