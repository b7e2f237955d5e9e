#include "cli/module_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "extproc/detail/module_registry.h"
#include "extproc/error.h"

namespace extproc::cli {
namespace {

constexpr std::string_view kAbi = " abi ";

/// A file's bytes, as long as it lives.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& file) {
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) fail(file);
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;
    data_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (data_ == MAP_FAILED) fail(file);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    if (size_ > 0) ::munmap(data_, size_);
  }

  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

 private:
  [[noreturn]] static void fail(const std::filesystem::path& file) {
    throw Error("cannot read " + file.string() + ": " + std::strerror(errno));
  }

  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace

ModuleDescriptor host_descriptor() { return {EXTPROC_VERSION_STRING, EXTPROC_DETAIL_ABI}; }

std::optional<ModuleDescriptor> find_descriptor(std::string_view bytes) {
  constexpr std::string_view kMark = EXTPROC_DETAIL_MODULE_MARK;
  constexpr std::size_t kLongest = 256;
  // The mark may also stand where something only speaks of it.
  for (std::size_t at = bytes.find(kMark); at != std::string_view::npos;
       at = bytes.find(kMark, at + 1)) {
    std::string_view text = bytes.substr(at + kMark.size(), kLongest);
    text = text.substr(0, text.find('\n') + 1);
    const std::size_t abi = text.find(kAbi);
    const bool is_text = text.find('\0') == std::string_view::npos;
    if (text.empty() || !is_text || abi == std::string_view::npos) continue;
    text.remove_suffix(1);
    return ModuleDescriptor{std::string(text.substr(0, abi)),
                            std::string(text.substr(abi + kAbi.size()))};
  }
  return std::nullopt;
}

std::optional<ModuleDescriptor> read_descriptor(const std::filesystem::path& file) {
  return find_descriptor(MappedFile(file).bytes());
}

}  // namespace extproc::cli
