#include "grpc/reflection_messages.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_writer.hpp>

#include "protobuf/field_reader.h"

namespace extproc::grpc {
namespace {

using protozero::pbf_tag_type;
using protozero::pbf_wire_type;
using protozero::tag_and_type;

constexpr auto kLengthDelimited = pbf_wire_type::length_delimited;

// ServerReflectionRequest.
constexpr auto kHost = tag_and_type(1, kLengthDelimited);
constexpr auto kFileByFilename = tag_and_type(3, kLengthDelimited);
constexpr auto kFileContainingSymbol = tag_and_type(4, kLengthDelimited);
constexpr auto kFileContainingExtension = tag_and_type(5, kLengthDelimited);
constexpr auto kAllExtensionNumbersOfType = tag_and_type(6, kLengthDelimited);
constexpr auto kListServices = tag_and_type(7, kLengthDelimited);
// ExtensionRequest.
constexpr auto kContainingType = tag_and_type(1, kLengthDelimited);
constexpr auto kExtensionNumber = tag_and_type(2, pbf_wire_type::varint);
// ServerReflectionResponse.
constexpr pbf_tag_type kValidHost = 1;
constexpr pbf_tag_type kOriginalRequest = 2;
constexpr pbf_tag_type kFileDescriptorResponse = 4;
constexpr pbf_tag_type kAllExtensionNumbersResponse = 5;
constexpr pbf_tag_type kListServicesResponse = 6;
constexpr pbf_tag_type kErrorResponse = 7;
// What is in them.
constexpr pbf_tag_type kFileDescriptorProto = 1;
constexpr pbf_tag_type kBaseTypeName = 1;
constexpr pbf_tag_type kExtensionNumbers = 2;
constexpr pbf_tag_type kListedService = 1;
constexpr pbf_tag_type kServiceName = 1;
constexpr pbf_tag_type kErrorCode = 1;
constexpr pbf_tag_type kErrorMessage = 2;

void read_extension(protobuf::FieldReader reader, ReflectionRequest& request) {
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case kContainingType:
        request.name = reader.get_bytes();
        break;
      case kExtensionNumber:
        request.extension_number = static_cast<std::int32_t>(reader.get_varint());
        break;
      default:
        reader.skip();
    }
  }
}

/// The query that a field of the request is.
ReflectionQuery query_of(std::uint32_t tag_and_type) {
  switch (tag_and_type) {
    case kFileByFilename:
      return ReflectionQuery::file_by_filename;
    case kFileContainingSymbol:
      return ReflectionQuery::file_containing_symbol;
    case kFileContainingExtension:
      return ReflectionQuery::file_containing_extension;
    case kAllExtensionNumbersOfType:
      return ReflectionQuery::all_extension_numbers_of_type;
    case kListServices:
      return ReflectionQuery::list_services;
    default:
      return ReflectionQuery::none;
  }
}

/// Takes the current field of the request, if it is a query: the last one counts.
bool take_query(protobuf::FieldReader& reader, ReflectionRequest& request) {
  const auto query = query_of(reader.tag_and_type());
  if (query == ReflectionQuery::none) return false;
  if (query == ReflectionQuery::file_containing_extension) {
    // The same message twice is one whose fields are joined.
    if (request.query != query) request = {.query = query, .host = request.host};
    read_extension(reader.get_message(), request);
  } else {
    request = {.query = query, .host = request.host, .name = reader.get_bytes()};
  }
  return true;
}

protozero::pbf_writer begin_response(std::string& out, std::string_view host,
                                     std::string_view request) {
  protozero::pbf_writer response(out);
  if (!host.empty()) response.add_string(kValidHost, host.data(), host.size());
  response.add_message(kOriginalRequest, request.data(), request.size());
  return response;
}

}  // namespace

std::optional<ReflectionRequest> read_reflection_request(std::string_view message) {
  ReflectionRequest request;
  try {
    protobuf::FieldReader reader(message);
    while (reader.next()) {
      if (take_query(reader, request)) continue;
      if (reader.tag_and_type() == kHost) {
        request.host = reader.get_bytes();
      } else {
        reader.skip();
      }
    }
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
  return request;
}

void write_reflected_files(std::string& out, std::string_view host, std::string_view request,
                           std::span<const std::string_view> files) {
  auto response = begin_response(out, host, request);
  protozero::pbf_writer found(response, kFileDescriptorResponse);
  for (const std::string_view file : files) {
    found.add_bytes(kFileDescriptorProto, file.data(), file.size());
  }
}

void write_extension_numbers(std::string& out, std::string_view host, std::string_view request,
                             std::string_view type, std::span<const std::int32_t> numbers) {
  auto response = begin_response(out, host, request);
  protozero::pbf_writer found(response, kAllExtensionNumbersResponse);
  found.add_string(kBaseTypeName, type.data(), type.size());
  found.add_packed_int32(kExtensionNumbers, numbers.begin(), numbers.end());
}

void write_service_names(std::string& out, std::string_view host, std::string_view request,
                         std::span<const std::string_view> names) {
  auto response = begin_response(out, host, request);
  protozero::pbf_writer list(response, kListServicesResponse);
  for (const std::string_view name : names) {
    protozero::pbf_writer service(list, kListedService);
    service.add_string(kServiceName, name.data(), name.size());
  }
}

void write_reflection_error(std::string& out, std::string_view host, std::string_view request,
                            GrpcStatus status, std::string_view text) {
  auto response = begin_response(out, host, request);
  protozero::pbf_writer error(response, kErrorResponse);
  error.add_int32(kErrorCode, static_cast<std::int32_t>(status));
  error.add_string(kErrorMessage, text.data(), text.size());
}

}  // namespace extproc::grpc
