#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace extproc::modules {

/// What a module's file says of itself; read without loading it, since loading runs code of it.
struct ModuleDescriptor {
  std::string version;
  std::string abi;

  friend bool operator==(const ModuleDescriptor&, const ModuleDescriptor&) = default;
};

/// What this program accepts.
ModuleDescriptor host_descriptor();

/// Nothing where the bytes are not those of a module.
std::optional<ModuleDescriptor> find_descriptor(std::string_view bytes);

/// Nothing where the file is not a module; throws Error when it cannot be read, is no file, or is a
/// library of another machine or a part of one.
std::optional<ModuleDescriptor> read_descriptor(const std::filesystem::path& file);

}  // namespace extproc::modules
