#pragma once

#include <optional>
#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>
#include <string_view>

namespace extproc::protobuf {

inline std::string_view bytes_of(protozero::pbf_reader& field) {
  const auto view = field.get_view();
  return {view.data(), view.size()};
}

/// Calls `each(key, value)` for the entries of a `map<string, ...>` field with values that are
/// messages, in the order of the bytes. Bytes that are not protobuf are the end of it.
template <class Each>
void for_each_entry(std::string_view message, unsigned field, const Each& each) {
  using protozero::pbf_wire_type;
  using protozero::tag_and_type;
  constexpr pbf_wire_type kBytes = pbf_wire_type::length_delimited;
  try {
    protozero::pbf_reader reader(message.data(), message.size());
    while (reader.next(field, kBytes)) {
      protozero::pbf_reader entry = reader.get_message();
      std::string_view key, value;
      while (entry.next()) {
        if (entry.tag_and_type() == tag_and_type(1, kBytes)) {
          key = bytes_of(entry);
        } else if (entry.tag_and_type() == tag_and_type(2, kBytes)) {
          value = bytes_of(entry);
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
