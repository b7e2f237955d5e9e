#include "protobuf/struct_merge.h"

#include <protozero/pbf_writer.hpp>

#include "protobuf/map_reader.h"

namespace extproc::protobuf {
namespace {

constexpr unsigned kFields = 1;

}  // namespace

std::string merged_struct(std::string_view first, std::string_view second) {
  std::string merged;
  protozero::pbf_writer writer(merged);
  for_each_entry(first, kFields, [&](std::string_view name, std::string_view value) {
    if (find_entry(second, kFields, name)) return;
    protozero::pbf_writer entry(writer, kFields);
    entry.add_string(1, name.data(), name.size());
    entry.add_message(2, value.data(), value.size());
  });
  merged.append(second);
  return merged;
}

}  // namespace extproc::protobuf
