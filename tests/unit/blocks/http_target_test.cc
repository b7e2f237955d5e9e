// Targets, queries, forms and base 64: the examples of their RFCs, and what is at their edges.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/http.h"

namespace extproc::http {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Optional;

TEST(HttpTarget, EscapesAreDecodedOrRefused) {
  EXPECT_THAT(percent_decode("a%20b%2Fc%c3%A9"), Optional(Eq("a b/c\xc3\xa9")));
  EXPECT_THAT(percent_decode("%00"), Optional(Eq(std::string(1, '\0'))));
  EXPECT_THAT(percent_decode("a+b"), Optional(Eq("a+b")));
  for (const std::string_view bad : {"%", "a%2", "%2", "%zz", "%2g", "%%20"}) {
    EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(form_decode("a+b%2B%zz%2"), "a b+%zz%2");
}

TEST(HttpTarget, EveryByteIsItselfAfterEncodingAndDecoding) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_THAT(percent_decode(percent_encode(all)), Optional(Eq(all)));
  EXPECT_EQ(form_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_encode("aZ09-._~ /%"), "aZ09-._~%20%2F%25");
}

TEST(HttpTarget, ParametersAreReadAsTheUrlStandardSays) {
  const Params params("a=1&b=%20x+y&&a=2&c&=d&e==&%61=3");
  EXPECT_THAT(std::vector<Param>(params.begin(), params.end()),
              ElementsAre(Param{"a", "1"}, Param{"b", "%20x+y"}, Param{"a", "2"}, Param{"c", ""},
                          Param{"", "d"}, Param{"e", "="}, Param{"%61", "3"}));
  EXPECT_THAT(params.value("b"), Optional(Eq(" x y")));
  EXPECT_THAT(params.value("c"), Optional(Eq("")));
  EXPECT_THAT(params.value("e"), Optional(Eq("=")));
  EXPECT_THAT(params.values("a"), ElementsAre("1", "2", "3"));
  EXPECT_EQ(params.value("x"), std::nullopt);
  EXPECT_EQ(Params("").begin(), Params("").end());
  EXPECT_EQ(Params("&&").begin(), Params("").end());
}

TEST(HttpTarget, ATargetIsPathAndQuery) {
  EXPECT_EQ(split_target("/a/b").path, "/a/b");
  EXPECT_EQ(split_target("/a/b").query, std::nullopt);
  EXPECT_THAT(split_target("/a?").query, Optional(Eq("")));
  EXPECT_THAT(split_target("/a?b?c#d?e").query, Optional(Eq("b?c")));
  EXPECT_EQ(split_target("/a#b?c").path, "/a");
  EXPECT_EQ(split_target("/a#b?c").query, std::nullopt);
  EXPECT_THAT(split_target("/?x=%41").params().value("x"), Optional(Eq("A")));
  EXPECT_THAT(path_segments("/a//b/"), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(path_segments("/"), ElementsAre(""));
}

TEST(HttpTarget, APathHasOneForm) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"/a/b/c/./../../g", "/a/g"},  // RFC 3986, 5.2.4
      {"/", "/"},
      {"/.", "/"},
      {"/..a", "/..a"},
      {"/a/..", "/"},
      {"/a/b/..", "/a/"},
      {"/a/b/../", "/a/"},
      {"/a/.", "/a/"},
      {"/a//b", "/a//b"},
      {"/%61dmin/%7Euser", "/admin/~user"},  // 6.2.2.2
      {"/a%2fb%c3%a9", "/a%2Fb%C3%A9"},      // 6.2.2.1
      {"/a/%2e%2E/b", "/b"},
      {"/a/%2e/b", "/a/b"}};
  for (const auto& [path, expected] : cases) {
    EXPECT_THAT(normal_path(path), Optional(Eq(expected))) << path;
    EXPECT_THAT(normal_path(expected), Optional(Eq(expected))) << "once is enough: " << path;
  }
  for (const std::string_view bad : {"", "a", "*", "/..", "/a/../..", "/%2e%2e/a", "/%", "/%g0"}) {
    EXPECT_EQ(normal_path(bad), std::nullopt) << bad;
  }
}

TEST(HttpTarget, ParametersAreSetAndRemovedInPlace) {
  EXPECT_EQ(with_param("/p", "a", "1 &"), "/p?a=1%20%26");
  EXPECT_EQ(with_param("/p?", "a", "1"), "/p?a=1");
  EXPECT_EQ(with_param("/p?x&a=1&y=%zz&a=2", "a", "3"), "/p?x&a=3&y=%zz");
  EXPECT_EQ(with_param("/p?b+c=1", "b c", "2"), "/p?b+c=2");
  EXPECT_EQ(without_param("/p?a=1", "a"), "/p");
  EXPECT_EQ(without_param("/p?a=1&b&c=", "a"), "/p?b&c=");
  EXPECT_EQ(without_param("/p?a&a=1&%61=2", "a"), "/p");
}

TEST(HttpTarget, Base64IsThatOfTheRfc) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {// RFC 4648, 10
                                                                            {"", ""},
                                                                            {"f", "Zg=="},
                                                                            {"fo", "Zm8="},
                                                                            {"foo", "Zm9v"},
                                                                            {"foob", "Zm9vYg=="},
                                                                            {"fooba", "Zm9vYmE="},
                                                                            {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_THAT(base64_decode(text), Optional(Eq(bytes)));
    const std::string_view bare = text.substr(0, text.find('='));
    EXPECT_EQ(base64url_encode(bytes), bare);
    EXPECT_THAT(base64url_decode(bare), Optional(Eq(bytes)));
  }
  EXPECT_EQ(base64_encode("\xfb\xff"), "+/8=");
  EXPECT_EQ(base64url_encode("\xfb\xff"), "-_8");
  for (const std::string_view bad :
       {"Zg", "Zg=", "Zg===", "Z", "Zh==", "Zm9=", "Zg==Zg==", "Z g=", "-_8=", "====", "="}) {
    EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
  }
  for (const std::string_view bad : {"Zg==", "Z", "Zh", "+/8", "Zm9v\n"}) {
    EXPECT_EQ(base64url_decode(bad), std::nullopt) << bad;
  }
}

TEST(HttpTarget, MultipartFormsHaveParts) {
  const std::string_view body =
      "preamble\r\n--AaB03x\r\n"
      "content-disposition: form-data; name=\"submit; by\"\r\n\r\nLarry\r\n"
      "--AaB03x  \r\n"
      "Content-Disposition: form-data; name=files; filename=\"a\\\"b.txt\"\r\n"
      "Content-Type: text/plain\r\n\r\n--AaB03\r\n\r\n"
      "--AaB03x--\r\nepilogue";
  const auto parts = parse_multipart(body, "AaB03x");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ((*parts)[0].name, "submit; by");
  EXPECT_EQ((*parts)[0].filename, std::nullopt);
  EXPECT_EQ((*parts)[0].content, "Larry");
  EXPECT_EQ((*parts)[1].name, "files");
  EXPECT_THAT((*parts)[1].filename, Optional(Eq("a\"b.txt")));
  EXPECT_EQ((*parts)[1].content_type, "text/plain");
  EXPECT_EQ((*parts)[1].content, "--AaB03\r\n");
  EXPECT_FALSE(parse_multipart(body, "AaB03x", 1));
  for (std::size_t size = 0; size < body.find("--\r\nepilogue"); ++size) {
    EXPECT_FALSE(parse_multipart(body.substr(0, size), "AaB03x")) << size;
  }
  EXPECT_FALSE(parse_multipart("--b\r\n\r\nno name\r\n--b--", "b"));
  EXPECT_FALSE(parse_multipart(body, ""));
}

}  // namespace
}  // namespace extproc::http
