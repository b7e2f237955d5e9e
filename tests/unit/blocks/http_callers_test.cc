// Proxies in front, with the examples of RFC 7239; credentials, with those of RFC 7617 and 6750.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "extproc/http.h"

namespace extproc::http {
namespace {

using ::testing::Eq;
using ::testing::Optional;

TEST(HttpCallers, ForwardedIsReadInItsOrder) {
  const auto forwarded = parse_forwarded(
      "For=\"[2001:db8:cafe::17]:4711\", for=192.0.2.60;proto=http;by=203.0.113.43; "
      "HOST=\"a.example\";x=y");
  ASSERT_TRUE(forwarded);
  ASSERT_EQ(forwarded->size(), 2U);
  EXPECT_EQ((*forwarded)[0].for_node, "[2001:db8:cafe::17]:4711");
  EXPECT_EQ((*forwarded)[1].for_node, "192.0.2.60");
  EXPECT_EQ((*forwarded)[1].proto, "http");
  EXPECT_EQ((*forwarded)[1].by_node, "203.0.113.43");
  EXPECT_EQ((*forwarded)[1].host, "a.example");
  EXPECT_EQ(parse_forwarded("for=192.0.2.43, for=198.51.100.17")->size(), 2U);
  for (const std::string_view bad :
       {"for", "for=[::1]", "for=a;for=b", "for=\"a", "=a", "for=a b", "for=a, x"}) {
    EXPECT_FALSE(parse_forwarded(bad)) << bad;
  }
}

TEST(HttpCallers, NodesHaveAddressesAndPorts) {
  using Node = std::pair<std::string_view, std::string_view>;
  EXPECT_EQ(split_node("192.0.2.4:80"), Node("192.0.2.4", "80"));
  EXPECT_EQ(split_node("[2001:db8::1]:80"), Node("2001:db8::1", "80"));
  EXPECT_EQ(split_node("[2001:db8::1]"), Node("2001:db8::1", ""));
  EXPECT_EQ(split_node("2001:db8::1"), Node("2001:db8::1", ""));
  EXPECT_EQ(split_node("unknown"), Node("unknown", ""));
  EXPECT_EQ(split_node("_hidden:_port"), Node("_hidden", "_port"));
  EXPECT_EQ(split_node("[open"), Node("[open", ""));
}

TEST(HttpCallers, ACallerCannotChooseItsAddress) {
  const std::vector<Header> headers = {{"x-forwarded-for", "6.6.6.6, 192.0.2.1"},
                                       {"x-forwarded-for", "192.0.2.2:1234,10.0.0.1"}};
  const HeaderView view(headers);
  EXPECT_THAT(forwarded_for(view, 1), Optional(Eq("10.0.0.1")));
  EXPECT_THAT(forwarded_for(view, 2), Optional(Eq("192.0.2.2")));
  EXPECT_THAT(forwarded_for(view, 4), Optional(Eq("6.6.6.6")));
  EXPECT_EQ(forwarded_for(view, 5), std::nullopt);
  EXPECT_EQ(forwarded_for(view, 0), std::nullopt);
}

TEST(HttpCallers, CredentialsHaveASchemeInAnyCase) {
  EXPECT_THAT(bearer_token("Bearer mF_9.B5f-4.1JqM"), Optional(Eq("mF_9.B5f-4.1JqM")));  // 6750
  EXPECT_THAT(bearer_token(" bEARER   a+/b== "), Optional(Eq("a+/b==")));
  for (const std::string_view bad :
       {"", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearer a,b", "Bearer =", "Bearera",
        "Bearer a=b", "B(earer a"}) {
    EXPECT_EQ(bearer_token(bad), std::nullopt) << bad;
  }
}

TEST(HttpCallers, BasicIsUserAndPassword) {
  const std::vector<std::tuple<std::string_view, std::string_view, std::string_view>> cases = {
      {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"},  // RFC 7617, 2
      {"Basic dGVzdDoxMjPCow==", "test", "123\xc2\xa3"},                 // 2.1
      {"basic OjpiOmM=", "", ":b:c"}};
  for (const auto& [header, user, password] : cases) {
    const auto credentials = basic_credentials(header);
    ASSERT_TRUE(credentials) << header;
    EXPECT_EQ(credentials->user, user);
    EXPECT_EQ(credentials->password, password);
  }
  for (const std::string_view bad :
       {"Basic", "Basic YWJj", "Basic YTpiCg==", "Basic YTpi=", "Bearer YTpi", "Basic Y_pi"}) {
    EXPECT_FALSE(basic_credentials(bad)) << bad;
  }
}

}  // namespace
}  // namespace extproc::http
