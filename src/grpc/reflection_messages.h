#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "extproc/status.h"

namespace extproc::grpc {

/// What a ServerReflectionRequest asks for. The messages of grpc.reflection.v1 and v1alpha are the
/// same.
enum class ReflectionQuery : std::uint8_t {
  none,  ///< nothing, or something that is not known
  file_by_filename,
  file_containing_symbol,
  file_containing_extension,
  all_extension_numbers_of_type,
  list_services,
};

/// Views into the message that it was read from.
struct ReflectionRequest {
  ReflectionQuery query = ReflectionQuery::none;
  std::string_view host{};
  /// The file, the symbol or the type that is asked for; of an extension the type that it extends.
  std::string_view name{};
  std::int32_t extension_number = 0;
};

/// Nothing when it is malformed.
std::optional<ReflectionRequest> read_reflection_request(std::string_view message);

// Each appends a ServerReflectionResponse: the answer to `request`, a whole message, whose host is
// `host`.

/// `files`: serialised FileDescriptorProtos.
void write_reflected_files(std::string& out, std::string_view host, std::string_view request,
                           std::span<const std::string_view> files);
void write_extension_numbers(std::string& out, std::string_view host, std::string_view request,
                             std::string_view type, std::span<const std::int32_t> numbers);
void write_service_names(std::string& out, std::string_view host, std::string_view request,
                         std::span<const std::string_view> names);
void write_reflection_error(std::string& out, std::string_view host, std::string_view request,
                            GrpcStatus status, std::string_view text);

}  // namespace extproc::grpc
