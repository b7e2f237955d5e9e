#include "grpc/percent_encoding.h"

#include <gtest/gtest.h>

namespace extproc::grpc {
namespace {

TEST(PercentEncoding, Table) {
  const struct {
    std::string text, encoded;
  } cases[] = {
      {"", ""},
      {"plain text, all of ~ and !", "plain text, all of ~ and !"},
      {"100%", "100%25"},
      {"a\nb\r\tc", "a%0Ab%0D%09c"},
      {"\x7F", "%7F"},
      {std::string("\0", 1), "%00"},
      {"\xC3\xBC", "%C3%BC"},
      {"\xFF", "%FF"},
  };
  for (const auto& c : cases) EXPECT_EQ(percent_encode(c.text), c.encoded);
}

TEST(PercentEncoding, CutsLongTextsBetweenCharacters) {
  EXPECT_EQ(percent_encode(std::string(5000, 'x')), std::string(kMaxStatusMessageBytes, 'x'));
  // Six bytes for each character: 170 of them are 1020 bytes.
  std::string umlauts;
  for (int i = 0; i < 1000; ++i) umlauts += "\xC3\xBC";
  EXPECT_EQ(percent_encode(umlauts).size(), 1020U);
  // One byte less room: the last character would be halved.
  const std::string shifted = percent_encode("x" + umlauts);
  EXPECT_EQ(shifted.size(), 1021U);
  EXPECT_EQ(percent_encode("ab" + umlauts).size(), 1022U);
}

}  // namespace
}  // namespace extproc::grpc
