#include "grpc/descriptor_index.h"

#include <algorithm>
#include <protozero/types.hpp>

#include "protobuf/field_reader.h"

namespace extproc::grpc {
namespace {

using protobuf::FieldReader;
using protozero::tag_and_type;

constexpr auto kBytes = protozero::pbf_wire_type::length_delimited;

// As google/protobuf/descriptor.proto has them.
constexpr auto kFileDependency = tag_and_type(3, kBytes);
constexpr auto kFileMessage = tag_and_type(4, kBytes);
constexpr auto kFileEnum = tag_and_type(5, kBytes);
constexpr auto kFileService = tag_and_type(6, kBytes);
constexpr auto kFileExtension = tag_and_type(7, kBytes);

constexpr auto kMessageField = tag_and_type(2, kBytes);
constexpr auto kMessageMessage = tag_and_type(3, kBytes);
constexpr auto kMessageEnum = tag_and_type(4, kBytes);
constexpr auto kMessageExtension = tag_and_type(6, kBytes);
constexpr auto kMessageOneof = tag_and_type(8, kBytes);

constexpr auto kFieldExtendee = tag_and_type(2, kBytes);
constexpr auto kFieldNumber = tag_and_type(3, protozero::pbf_wire_type::varint);
/// Of everything that has a name.
constexpr protozero::pbf_tag_type kName = 1;
constexpr protozero::pbf_tag_type kPackage = 2;
constexpr protozero::pbf_tag_type kValue = 2;
constexpr protozero::pbf_tag_type kMethod = 2;
constexpr protozero::pbf_tag_type kFile = 1;

std::string_view name_of(FieldReader reader) {
  std::string_view name;
  while (reader.next(kName, kBytes)) name = reader.get_bytes();
  return name;
}

std::string within(std::string_view scope, std::string_view name) {
  return scope.empty() ? std::string(name) : std::string(scope).append(".").append(name);
}

}  // namespace

/// Takes one file into the index.
class DescriptorIndex::Reader {
 public:
  Reader(DescriptorIndex& index, std::size_t file) : index_(index), file_(file) {}

  void read(FieldReader reader) {
    std::string_view package;
    FieldReader first = reader;
    while (first.next(kPackage, kBytes)) package = first.get_bytes();
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case kFileDependency:
          index_.files_[file_].imports.push_back(reader.get_bytes());
          break;
        case kFileMessage:
          take_message(reader.get_message(), package);
          break;
        case kFileEnum:
          take_enum(reader.get_message(), package);
          break;
        case kFileService:
          take_service(reader.get_message(), package);
          break;
        case kFileExtension:
          take_extension(reader.get_message(), package);
          break;
        default:
          reader.skip();
      }
    }
  }

 private:
  /// Its full name, which lives as long as the index.
  const std::string& take(std::string_view scope, std::string_view name) {
    return index_.by_symbol_.emplace(within(scope, name), file_).first->first;
  }

  void take_message(FieldReader reader, std::string_view scope) {
    const std::string& name = take(scope, name_of(reader));
    index_.messages_.insert(name);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case kMessageField:
        case kMessageOneof:
          take(name, name_of(reader.get_message()));
          break;
        case kMessageMessage:
          take_message(reader.get_message(), name);
          break;
        case kMessageEnum:
          take_enum(reader.get_message(), name);
          break;
        case kMessageExtension:
          take_extension(reader.get_message(), name);
          break;
        default:
          reader.skip();
      }
    }
  }

  void take_enum(FieldReader reader, std::string_view scope) {
    take(scope, name_of(reader));
    // Its values are named beside it, as in C++.
    while (reader.next(kValue, kBytes)) {
      take(scope, name_of(reader.get_message()));
    }
  }

  void take_service(FieldReader reader, std::string_view scope) {
    const std::string& name = take(scope, name_of(reader));
    index_.services_.push_back(name);
    while (reader.next(kMethod, kBytes)) {
      take(name, name_of(reader.get_message()));
    }
  }

  void take_extension(FieldReader reader, std::string_view scope) {
    take(scope, name_of(reader));
    std::string_view type;
    std::int32_t number = 0;
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case kFieldExtendee:
          type = reader.get_bytes();
          break;
        case kFieldNumber:
          number = static_cast<std::int32_t>(reader.get_varint());
          break;
        default:
          reader.skip();
      }
    }
    // Full names begin with a dot where a type is named.
    if (type.starts_with('.')) type.remove_prefix(1);
    index_.extensions_[std::string(type)].emplace(number, file_);
  }

  DescriptorIndex& index_;
  const std::size_t file_;
};

DescriptorIndex::DescriptorIndex(std::string_view set) {
  FieldReader reader(set);
  while (reader.next(kFile, kBytes)) {
    const std::size_t file = files_.size();
    FieldReader content = reader.get_message();
    files_.push_back({.descriptor = content.rest(), .imports = {}});
    by_name_.emplace(name_of(content), file);
    Reader(*this, file).read(content);
  }
  std::ranges::sort(services_);
  services_.erase(std::ranges::unique(services_).begin(), services_.end());
}

std::optional<std::size_t> DescriptorIndex::file(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> DescriptorIndex::file_of_symbol(std::string_view name) const {
  const auto found = by_symbol_.find(name);
  return found == by_symbol_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::size_t> DescriptorIndex::file_of_extension(std::string_view type,
                                                              std::int32_t number) const {
  const auto of_type = extensions_.find(type);
  if (of_type == extensions_.end()) return std::nullopt;
  const auto found = of_type->second.find(number);
  return found == of_type->second.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::vector<std::int32_t>> DescriptorIndex::extensions_of(
    std::string_view type) const {
  if (!messages_.contains(type)) return std::nullopt;
  std::vector<std::int32_t> numbers;
  if (const auto found = extensions_.find(type); found != extensions_.end()) {
    for (const auto& [number, file] : found->second) numbers.push_back(number);
  }
  return numbers;
}

std::vector<std::size_t> DescriptorIndex::imports(std::size_t file) const {
  std::vector<std::size_t> found;
  for (const std::string_view name : files_[file].imports) {
    if (const auto imported = this->file(name)) found.push_back(*imported);
  }
  return found;
}

}  // namespace extproc::grpc
