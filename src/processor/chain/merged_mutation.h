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
  /// Takes what Envoy refuses, which changes nothing, and is for it to count.
  void pass_on(const HeaderMutation::Entry& refused);

  void clear();

  /// Adds all of it to `mutation`.
  void write(HeaderMutation& mutation) const;
  /// The same for one that is empty. Throws Error where it is more than Envoy takes in one answer.
  void write_all(HeaderMutation& mutation) const;

 private:
  struct Name {
    std::string name;
    bool overwritten = false;
    std::vector<std::string> values;
  };

  Name& of(std::string_view name);

  std::vector<Name> names_;  // in the order in which they were named first
  HeaderMutation refused_;
};

}  // namespace extproc::detail
