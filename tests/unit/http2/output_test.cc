#include "http2/output.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

namespace extproc::http2 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> pieces(const Output& output) {
  std::vector<std::string> found;
  output.for_each_piece([&](std::string_view piece) { found.emplace_back(piece); });
  return found;
}

std::string copy(const Output& output, std::size_t skipped = 0) {
  std::string text;
  output.copy_to(text, skipped);
  return text;
}

TEST(Output, KeepsTheOrderOfWhatIsCopiedAndWhatIsNot) {
  const auto buffer = std::make_shared<const std::string>("0123456789");
  const std::string_view large = *buffer;
  Output output;
  EXPECT_TRUE(output.empty());
  EXPECT_THAT(pieces(output), IsEmpty());
  output.append(buffer, large.substr(0, 2));
  output.append("a");
  output.append("b");
  output.append(buffer, large.substr(2, 3));
  output.append(buffer, large.substr(5, 1));
  output.append(buffer, {});
  output.append("c");
  EXPECT_EQ(output.size(), 9U);
  EXPECT_THAT(pieces(output), ElementsAre("01", "ab", "234", "5", "c"));
  EXPECT_EQ(copy(output), "01ab2345c");
  for (std::size_t skipped = 0; skipped <= output.size(); ++skipped)
    EXPECT_EQ(copy(output, skipped), std::string("01ab2345c").substr(skipped));
}

TEST(Output, KeepsBuffersUntilItIsCleared) {
  auto buffer = std::make_shared<const std::string>("0123456789");
  const std::weak_ptr<const std::string> watched = buffer;
  Output output;
  output.append(buffer, std::string_view(*buffer).substr(3));
  buffer.reset();
  EXPECT_EQ(copy(output), "3456789");
  output.clear();
  EXPECT_TRUE(watched.expired());
  EXPECT_TRUE(output.empty());
  output.append("x");
  EXPECT_EQ(copy(output), "x");
}

}  // namespace
}  // namespace extproc::http2
