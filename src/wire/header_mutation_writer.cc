#include "wire/header_mutation_writer.h"

#include <cstdint>
#include <string_view>

namespace extproc::wire {
namespace {

constexpr unsigned kSetHeaders = 1;     // HeaderMutation
constexpr unsigned kRemoveHeaders = 2;  // HeaderMutation
constexpr unsigned kHeader = 1;         // HeaderValueOption
constexpr unsigned kAppend = 2;         // HeaderValueOption, a BoolValue
constexpr unsigned kAppendAction = 3;   // HeaderValueOption
constexpr unsigned kKey = 1;            // HeaderValue
constexpr unsigned kRawValue = 3;       // HeaderValue

constexpr std::uint64_t kOverwriteIfExistsOrAdd = 2;  // APPEND_IF_EXISTS_OR_ADD is 0, and left out

constexpr std::size_t kTrueSize = 2;  // a BoolValue of true; one of false is empty
constexpr std::size_t kOverwriteSize =
    4;  // append: false, append_action: OVERWRITE_IF_EXISTS_OR_ADD
constexpr std::size_t kAppendTrueSize = 2 + kTrueSize;

std::size_t header_value_size(std::string_view name, std::string_view value) {
  return field_size(name.size()) + optional_field_size(value.size());
}

std::size_t option_size(std::string_view name, std::string_view value, bool append) {
  return field_size(header_value_size(name, value)) + (append ? kAppendTrueSize : kOverwriteSize);
}

std::size_t set_header_size(std::string_view name, std::string_view value, bool append) {
  return field_size(option_size(name, value, append));
}

void write_set_header(Encoder& encoder, std::string_view name, std::string_view value,
                      bool append) {
  encoder.begin_field(kSetHeaders, option_size(name, value, append));
  encoder.begin_field(kHeader, header_value_size(name, value));
  encoder.bytes_field(kKey, name);
  encoder.optional_bytes_field(kRawValue, value);
  if (append) {
    encoder.begin_field(kAppend, kTrueSize);
    encoder.varint_field(1, 1);
  } else {
    encoder.begin_field(kAppend, 0);
    encoder.varint_field(kAppendAction, kOverwriteIfExistsOrAdd);
  }
}

}  // namespace

std::size_t mutation_size(const HeaderMutation& mutation) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const auto entry = mutation.at(i);
    size += entry.operation == HeaderMutation::Operation::remove
                ? field_size(entry.name.size())
                : set_header_size(entry.name, entry.value,
                                  entry.operation == HeaderMutation::Operation::append);
  }
  return size;
}

void write_mutation(Encoder& encoder, const HeaderMutation& mutation) {
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const auto entry = mutation.at(i);
    if (entry.operation == HeaderMutation::Operation::remove) {
      encoder.bytes_field(kRemoveHeaders, entry.name);
    } else {
      write_set_header(encoder, entry.name, entry.value,
                       entry.operation == HeaderMutation::Operation::append);
    }
  }
}

}  // namespace extproc::wire
