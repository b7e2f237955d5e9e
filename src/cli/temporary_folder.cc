#include "cli/temporary_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>

#include "extproc/error.h"
#include "server/listen_address.h"

namespace extproc::cli {

namespace {

/// Of what is put there, of which only sockets have a limit.
constexpr std::size_t kLongestName = std::string_view("/1000.sock").size();

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::error_code error;
  const auto parent = std::filesystem::temp_directory_path(error);
  std::string name = (error ? "/tmp" : parent.string()) + "/extproc-dev-XXXXXX";
  if (name.size() + kLongestName > server::kLongestPath) {
    throw Error(
        "TMPDIR is \"" + parent.string() +
        "\", which is too long for the sockets that are put there: set it to a shorter one");
  }
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
