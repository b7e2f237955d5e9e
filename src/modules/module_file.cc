#include "modules/module_file.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/unique_fd.h"
#include "extproc/detail/module_registry.h"
#include "extproc/error.h"

namespace extproc::modules {
namespace {

constexpr std::string_view kAbi = " abi ";
constexpr std::string_view kElfMark = ELFMAG;

/// A file's bytes, as long as it lives.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& file) {
    // A pipe would be waited for until somebody writes to it.
    const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) fail(file);
    if (!S_ISREG(status.st_mode))
      throw Error(file.string() + " is " + kind_of(status.st_mode) + ", and no file of a module");
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

  static std::string kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISFIFO(mode)) return "a named pipe";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
  }

  void* data_ = nullptr;
  std::size_t size_ = 0;
};

using ElfHeader = ElfW(Ehdr);

/// Nothing where the bytes do not begin as a shared library does.
std::optional<ElfHeader> elf_header(std::string_view bytes) {
  ElfHeader header{};
  if (bytes.size() < sizeof header || !bytes.starts_with(kElfMark)) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

bool of_one_machine(const ElfHeader& a, const ElfHeader& b) {
  return a.e_machine == b.e_machine && a.e_ident[EI_CLASS] == b.e_ident[EI_CLASS] &&
         a.e_ident[EI_DATA] == b.e_ident[EI_DATA];
}

/// What the dynamic loader tells of in other words, or not at all.
void check_library(const std::filesystem::path& file, std::string_view bytes) {
  const auto header = elf_header(bytes);
  if (!header && !bytes.starts_with(kElfMark)) return;
  static const auto own = elf_header(MappedFile("/proc/self/exe").bytes());
  if (header && own && !of_one_machine(*header, *own)) {
    throw Error(file.string() +
                " was built for another machine than this program: build it for this one");
  }
  // The table of sections is what a linker writes last.
  const std::uint64_t whole =
      header ? header->e_shoff + std::uint64_t{header->e_shentsize} * header->e_shnum
             : sizeof(ElfHeader);
  if (bytes.size() < whole) {
    throw Error(file.string() + " is cut off: it has " + std::to_string(bytes.size()) +
                " bytes of at least " + std::to_string(whole) + ": copy it again");
  }
}

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
  const MappedFile mapped(file);
  check_library(file, mapped.bytes());
  return find_descriptor(mapped.bytes());
}

}  // namespace extproc::modules
