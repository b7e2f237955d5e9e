#include "rules/framing_rules.h"

#include <charconv>
#include <utility>
#include <vector>

#include "rules/header_rules.h"

namespace extproc::rules {
namespace {

constexpr int kLeastThatIsTaken = 200;

/// 0 where it is no number.
int number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

std::size_t byte_size(std::span<const Header> headers) {
  std::size_t bytes = 0;
  for (const Header& header : headers) bytes += header.name.size() + header.value.size();
  return bytes;
}

/// The headers after the change, whose removes come first.
std::vector<Header> changed(std::span<const Header> headers, const HeaderMutation& mutation) {
  std::vector<Header> all(headers.begin(), headers.end());
  for (const bool removes : {true, false}) {
    for (std::size_t i = 0; i < mutation.size(); ++i) {
      const auto [operation, name, value] = mutation.at(i);
      if ((operation == Operation::remove) != removes) continue;
      if (operation != Operation::append)
        std::erase_if(all, [&](const Header& header) { return header.name == name; });
      if (operation != Operation::remove) all.push_back({name, value});
    }
  }
  return all;
}

}  // namespace

int status_of(std::span<const Header> headers) {
  for (const Header& header : headers)
    if (header.name == ":status") return number(header.value);
  return 0;
}

int status_after(int status, const HeaderMutation& mutation) {
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const auto [operation, name, value] = mutation.at(i);
    if (operation != Operation::set || name != ":status") continue;
    if (const int asked = number(value); asked >= kLeastThatIsTaken) status = asked;
  }
  return status;
}

bool makes_head(const HeaderMutation& mutation) {
  bool head = false;
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const auto [operation, name, value] = mutation.at(i);
    if (operation == Operation::set && name == ":method") head = value == "HEAD";
  }
  return head;
}

bool sets_only(const HeaderMutation& mutation, std::string_view name, std::string_view value) {
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const HeaderMutation::Entry entry = mutation.at(i);
    if (entry.name != name || entry.operation == Operation::remove) continue;
    if (entry.operation != Operation::set || entry.value != value) return false;
  }
  return true;
}

void leave_out(HeaderMutation& mutation, std::string_view name) {
  HeaderMutation kept;
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const HeaderMutation::Entry entry = mutation.at(i);
    if (entry.operation == Operation::remove || entry.name != name) kept.add(entry);
  }
  mutation = std::move(kept);
}

bool fits(std::span<const Header> headers, const HeaderMutation& mutation) {
  // What holds for nearly all: not even all of it together is too much.
  if (headers.size() + mutation.size() <= kMostHeaders &&
      byte_size(headers) + mutation.bytes() <= kMostHeaderBytes)
    return true;
  if (count(mutation).too_many()) return false;
  const std::vector<Header> result = changed(headers, mutation);
  return result.size() <= kMostHeaders && byte_size(result) <= kMostHeaderBytes;
}

}  // namespace extproc::rules
