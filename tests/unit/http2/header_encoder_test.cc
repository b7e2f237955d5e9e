#include "http2/header_encoder.h"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http2/header_decoder.h"

namespace extproc::http2 {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

const Header kStatus = constant_header(":status", "200");
const Header kType = constant_header("content-type", "application/grpc");
const Header kOk = constant_header("grpc-status", "0");
const Header kInternal = constant_header("grpc-status", "13");

/// Encodes, has nghttp2 decode it, and compares.
class HeaderEncoderTest : public ::testing::Test {
 protected:
  HeaderEncoderTest() {
    nghttp2_hd_inflater* made = nullptr;
    nghttp2_hd_inflate_new(&made);
    inflater.reset(made);
  }

  /// The block's size.
  std::size_t say(const std::vector<Header>& headers) {
    std::string block;
    encoder.encode(headers, block);
    Pairs expected;
    for (const Header& header : headers) expected.emplace_back(header.name, header.value);
    EXPECT_EQ(decode(block), expected);
    return block.size();
  }

  Pairs decode(const std::string& block) {
    Pairs pairs;
    const auto* in = reinterpret_cast<const std::uint8_t*>(block.data());
    std::size_t left = block.size();
    for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
      nghttp2_nv header;
      const auto read = nghttp2_hd_inflate_hd2(inflater.get(), &header, &flags, in, left, 1);
      EXPECT_GE(read, 0) << nghttp2_strerror(static_cast<int>(read));
      if (read < 0) return pairs;
      in += read;
      left -= static_cast<std::size_t>(read);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0) continue;
      pairs.emplace_back(std::string(reinterpret_cast<const char*>(header.name), header.namelen),
                         std::string(reinterpret_cast<const char*>(header.value), header.valuelen));
    }
    nghttp2_hd_inflate_end_headers(inflater.get());
    return pairs;
  }

  /// As a peer does that sends the setting and has it acknowledged.
  void set_table_size(std::uint32_t bytes) {
    encoder.limit_table(bytes);
    ASSERT_EQ(nghttp2_hd_inflate_change_table_size(inflater.get(), bytes), 0);
  }

  struct Delete {
    void operator()(nghttp2_hd_inflater* made) const { nghttp2_hd_inflate_del(made); }
  };
  HeaderEncoder encoder;
  std::unique_ptr<nghttp2_hd_inflater, Delete> inflater;
};

TEST_F(HeaderEncoderTest, WhatIsConstantIsOneByteTheSecondTime) {
  EXPECT_GT(say({kStatus, kType}), 10U);
  EXPECT_EQ(say({kStatus, kType}), 2U);
  EXPECT_GT(say({kOk}), 10U);
  EXPECT_EQ(say({kOk}), 1U);
  EXPECT_EQ(say({kStatus, kType, kOk}), 3U);
}

TEST_F(HeaderEncoderTest, WhatPassesIsNotAdded) {
  const std::string message(300, 'm');
  for (int i = 0; i < 3; ++i) {
    say({kInternal, passing_header("grpc-message", message)});
    say({kStatus, kType, kInternal, passing_header("grpc-message", "")});
  }
  EXPECT_EQ(say({kInternal}), 1U);
}

TEST_F(HeaderEncoderTest, ASettingThatChangesNothingIsNotAnswered) {
  set_table_size(4'096);
  set_table_size(65'536);
  EXPECT_EQ(say({kStatus}), 1U);
}

TEST_F(HeaderEncoderTest, KeepsToATableOfAnySize) {
  for (const std::uint32_t bytes : {0U, 31U, 59U, 60U, 100U, 130U, 4'096U, 100'000U}) {
    set_table_size(bytes);
    for (int i = 0; i < 3; ++i) say({kStatus, kType, kOk, kInternal});
  }
  EXPECT_EQ(say({kStatus, kType, kOk, kInternal}), 4U);
}

TEST_F(HeaderEncoderTest, TellsTheSmallestSizeInBetween) {
  say({kStatus, kType, kOk});
  set_table_size(0);
  set_table_size(4'096);
  EXPECT_GT(say({kStatus, kType, kOk}), 30U);
  EXPECT_EQ(say({kStatus, kType, kOk}), 3U);
  set_table_size(100);
  set_table_size(200);
  say({kStatus, kType, kOk});
  say({kStatus, kType, kOk});
}

TEST_F(HeaderEncoderTest, AFullTableStaysAsItIs) {
  std::vector<std::string> texts;
  std::vector<Header> headers;
  for (int i = 0; i < 100; ++i) texts.push_back("value-" + std::to_string(i));
  for (const std::string& text : texts) headers.push_back(constant_header("x-name", text));
  for (int i = 0; i < 3; ++i) say(headers);
}

}  // namespace
}  // namespace extproc::http2
