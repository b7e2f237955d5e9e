#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/header_mutation.h"
#include "extproc/headers.h"

namespace extproc::chain {

/// The headers or trailers of a message as the processors of a chain change them, one after
/// another.
class MessageHeaders {
 public:
  /// What it refers to must outlive it.
  void assign(std::span<const Header> entries);
  /// The same without anything that it refers to.
  void copy(std::span<const Header> entries);

  std::span<const Header> entries() const { return entries_; }
  std::optional<std::string_view> get(std::string_view name) const;

  // Names are in lower case; what is given is copied.
  void set(std::string_view name, std::string_view value);
  void append(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  void take(const HeaderMutation::Entry& change);

 private:
  std::string_view keep(std::string_view text);

  std::vector<Header> entries_;
  std::deque<std::string> kept_;
};

}  // namespace extproc::chain
