#pragma once

#include <string>
#include <string_view>

namespace extproc::protobuf {

/// Two serialised `google.protobuf.Struct`s as one: the fields of the first that the second does
/// not have, and those of the second.
std::string merged_struct(std::string_view first, std::string_view second);

}  // namespace extproc::protobuf
