#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace extproc::grpc {

/// The files of a FileDescriptorSet, found by what is in them. Once it is made any thread may ask.
class DescriptorIndex {
 public:
  /// Views into `set` are kept, so that it must outlive the index. Of a name that is there twice
  /// the first counts. Throws protozero::exception when it is malformed.
  explicit DescriptorIndex(std::string_view set);
  DescriptorIndex(const DescriptorIndex&) = delete;
  DescriptorIndex& operator=(const DescriptorIndex&) = delete;

  // Names are without a dot in front. A file is its place in the set.

  std::optional<std::size_t> file(std::string_view name) const;
  /// Of a message, an enumeration, a service, or what is in one, or an extension.
  std::optional<std::size_t> file_of_symbol(std::string_view name) const;
  std::optional<std::size_t> file_of_extension(std::string_view type, std::int32_t number) const;
  /// In ascending order; nothing where there is no such message.
  std::optional<std::vector<std::int32_t>> extensions_of(std::string_view type) const;
  /// All of them, in alphabetical order.
  const std::vector<std::string_view>& services() const { return services_; }

  std::size_t files() const { return files_.size(); }
  /// The serialised FileDescriptorProto.
  std::string_view descriptor(std::size_t file) const { return files_[file].descriptor; }
  /// The files that it imports, of those that are there.
  std::vector<std::size_t> imports(std::size_t file) const;

 private:
  class Reader;

  struct File {
    std::string_view descriptor;
    std::vector<std::string_view> imports;
  };

  std::vector<File> files_;
  std::map<std::string_view, std::size_t> by_name_;
  std::map<std::string, std::size_t, std::less<>> by_symbol_;
  std::set<std::string, std::less<>> messages_;
  std::map<std::string, std::map<std::int32_t, std::size_t>, std::less<>> extensions_;
  std::vector<std::string_view> services_;
};

}  // namespace extproc::grpc
