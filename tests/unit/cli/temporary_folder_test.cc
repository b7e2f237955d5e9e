#include "cli/temporary_folder.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

#include "extproc/error.h"

namespace extproc::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(TemporaryFolderTest, APathThatIsTooLongForSocketsIsRefusedByTheNameOfItsVariable) {
  const TemporaryFolder short_one;
  const fs::path long_one = short_one.path() / std::string(100, 'x');
  fs::create_directory(long_one);
  ::setenv("TMPDIR", long_one.c_str(), 1);
  EXPECT_THAT([] { const TemporaryFolder folder; },
              ThrowsMessage<Error>(AllOf(HasSubstr("TMPDIR is"), HasSubstr("too long"))));
  ::unsetenv("TMPDIR");
  EXPECT_TRUE(fs::is_empty(long_one));
}

}  // namespace
}  // namespace extproc::cli
