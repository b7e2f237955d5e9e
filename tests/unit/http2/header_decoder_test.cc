#include "http2/header_decoder.h"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace extproc::http2 {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// nghttp2 encodes what is decoded.
class HeaderDecoderTest : public ::testing::Test {
 protected:
  HeaderDecoderTest() {
    nghttp2_hd_deflater* made = nullptr;
    nghttp2_hd_deflate_new(&made, 4'096);
    deflater.reset(made);
  }

  std::string encode(const Pairs& pairs) {
    std::vector<nghttp2_nv> headers;
    for (const auto& [name, value] : pairs) {
      headers.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                         reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
                         name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    std::string block(nghttp2_hd_deflate_bound(deflater.get(), headers.data(), headers.size()), 0);
    const auto size =
        nghttp2_hd_deflate_hd(deflater.get(), reinterpret_cast<std::uint8_t*>(block.data()),
                              block.size(), headers.data(), headers.size());
    block.resize(static_cast<std::size_t>(size));
    return block;
  }

  Pairs decode(const std::string& block) {
    Pairs pairs;
    EXPECT_TRUE(decoder.decode(block, [&](std::string_view name, std::string_view value) {
      pairs.emplace_back(name, value);
    }));
    return pairs;
  }

  struct Delete {
    void operator()(nghttp2_hd_deflater* made) const { nghttp2_hd_deflate_del(made); }
  };
  std::unique_ptr<nghttp2_hd_deflater, Delete> deflater;
  HeaderDecoder decoder;
};

TEST_F(HeaderDecoderTest, RemembersABlockThatLeavesTheTableAsItIs) {
  const Pairs pairs = {{":method", "POST"}, {":path", "/p"}, {"x-a", "1"}};
  const std::string first = encode(pairs);
  EXPECT_TRUE(changes_table(first));
  EXPECT_EQ(decode(first), pairs);
  decoder.remember(first);
  EXPECT_FALSE(decoder.remembers(first));

  const std::string second = encode(pairs);
  EXPECT_FALSE(changes_table(second));
  EXPECT_EQ(decode(second), pairs);
  EXPECT_FALSE(decoder.remembers(second)) << "only what remember() was called for";
  decoder.remember(second);
  EXPECT_TRUE(decoder.remembers(second));
  EXPECT_EQ(encode(pairs), second);

  const Pairs other = {{":method", "POST"}, {":path", "/other"}};
  EXPECT_EQ(decode(encode(other)), other);
  EXPECT_TRUE(decoder.remembers(second)) << "the table is the same still";

  EXPECT_EQ(decode(encode({{"x-new", "2"}})), (Pairs{{"x-new", "2"}}));
  EXPECT_FALSE(decoder.remembers(second));
}

TEST_F(HeaderDecoderTest, RemembersNoOtherBlockThanTheLast) {
  const std::string small = encode({{":path", "/p"}});
  const std::string large = encode({{":path", "/" + std::string(10'000, 'p')}});
  decode(small);
  decoder.remember(small);
  EXPECT_TRUE(decoder.remembers(small));
  decode(large);
  decoder.remember(large);
  EXPECT_FALSE(decoder.remembers(large)) << "too large";
  EXPECT_FALSE(decoder.remembers(small));
}

TEST_F(HeaderDecoderTest, TellsWhatChangesTheTable) {
  const std::pair<std::string, bool> cases[] = {
      {"", false},
      {"\x88", false},                      // indexed
      {std::string("\xFF\x00", 2), false},  // indexed, 127
      {std::string("\x00\x01"
                   "a\x01"
                   "b",
                   5),
       false},  // literal
      {std::string("\x10\x81\x1F\x01"
                   "b",
                   5),
       false},  // never to be indexed, Huffman
      {std::string("\x0F\x10\x01"
                   "b",
                   4),
       false},  // literal with an indexed name
      {std::string("\x40\x01"
                   "a\x01"
                   "b",
                   5),
       true},  // literal, added
      {std::string("\x88\x5F\x01"
                   "b",
                   4),
       true},          // the same with an indexed name
      {"\x20", true},  // size of the table
      {"\x88\x3F\xE1\x1F", true},
  };
  for (const auto& [block, changes] : cases)
    EXPECT_EQ(changes_table(block), changes) << ::testing::PrintToString(block);
  // Whatever the bytes, it ends within them.
  for (const std::string cut : {"\xFF", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "\x0F", "\x7F"})
    changes_table(cut);
  EXPECT_FALSE(changes_table(std::string("\x00\x7F\xFF\xFF\xFF\xFF\xFF\x0F", 8)));
}

TEST_F(HeaderDecoderTest, RefusesABrokenBlock) {
  for (const std::string block : {"\x80", "\xFF\xFF\xFF\xFF\xFF\xFF",
                                  "\x0F\x10\x05"
                                  "b"}) {
    HeaderDecoder fresh;
    EXPECT_FALSE(fresh.decode(block, [](std::string_view, std::string_view) {}))
        << ::testing::PrintToString(block);
  }
}

}  // namespace
}  // namespace extproc::http2
