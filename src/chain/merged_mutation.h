#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/header_mutation.h"

namespace extproc::chain {

/// The changes of several answers, one after another, as one: for each name whether it is
/// overwritten, and the values that it has then. That holds whatever the headers are.
class MergedMutation {
 public:
  void take(const HeaderMutation::Entry& change);
  /// Remembers that there was a change which Envoy refuses.
  void refuse(const HeaderMutation::Entry& refused);

  void clear();

  /// Adds all of it to `mutation`.
  void write(HeaderMutation& mutation) const;
  /// Where that is nothing, adds one of the changes that Envoy refuses, if there was any: what
  /// counts beside a header change, counts beside that as well.
  void write_refused(HeaderMutation& mutation) const;
  /// As write(), for one that is empty. Where it is more than Envoy takes in one answer, `spare` is
  /// left out, if it is named; throws Error where it is too much all the same.
  void write_all(HeaderMutation& mutation, std::string_view spare) const;

 private:
  struct Name {
    std::string name;
    bool overwritten = false;
    std::vector<std::string> values;
  };

  Name& of(std::string_view name);

  std::vector<Name> names_;  // in the order in which they were named first
  HeaderMutation refused_;   // the first that Envoy refuses
};

}  // namespace extproc::chain
