#pragma once

#include <optional>
#include <protozero/exception.hpp>
#include <string_view>

#include "protobuf/field_reader.h"

namespace extproc::protobuf {

/// Calls `each(key, value)` for the entries of a `map<string, ...>` field with values that are
/// messages, in the order of the bytes. Bytes that are not protobuf are the end of it.
template <class Each>
void for_each_entry(std::string_view message, unsigned field, const Each& each) {
  using protozero::pbf_wire_type;
  using protozero::tag_and_type;
  constexpr pbf_wire_type kBytes = pbf_wire_type::length_delimited;
  try {
    FieldReader reader(message);
    while (reader.next(field, kBytes)) {
      FieldReader entry = reader.get_message();
      // An entry may lack one; what is empty is no null.
      std::string_view key = "";
      std::string_view value = "";
      while (entry.next()) {
        if (entry.tag_and_type() == tag_and_type(1, kBytes)) {
          key = entry.get_bytes();
        } else if (entry.tag_and_type() == tag_and_type(2, kBytes)) {
          value = entry.get_bytes();
        } else {
          entry.skip();
        }
      }
      each(key, value);
    }
  } catch (const protozero::exception&) {
    return;
  }
}

/// The value of a key, the last one where it is repeated, as protobuf's maps have it.
inline std::optional<std::string_view> find_entry(std::string_view message, unsigned field,
                                                  std::string_view wanted) {
  std::optional<std::string_view> found;
  for_each_entry(message, field, [&](std::string_view key, std::string_view value) {
    if (key == wanted) found = value;
  });
  return found;
}

}  // namespace extproc::protobuf
