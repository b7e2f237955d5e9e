#include "cli/temporary_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

#include "extproc/error.h"

namespace extproc::cli {

TemporaryFolder::TemporaryFolder() {
  std::error_code error;
  const auto parent = std::filesystem::temp_directory_path(error);
  std::string name = (error ? "/tmp" : parent.string()) + "/extproc-dev-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error("cannot make a folder like " + name + ": " + std::strerror(errno) +
                "; set TMPDIR to one that can be written to");
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace extproc::cli
