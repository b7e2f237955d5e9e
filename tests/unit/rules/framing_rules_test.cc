// Where HTTP has no body, what a change of headers says of a message's framing, and what fits.
#include "rules/framing_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace extproc::rules {
namespace {

TEST(FramingRules, HeadAndSomeStatusesHaveNoBody) {
  for (int status = 100; status < 600; ++status) {
    const bool tunnel = status == 101;
    const bool none = !tunnel && (status < 200 || status == 204 || status == 304);
    const Content content = tunnel ? Content::tunnel : none ? Content::nothing : Content::body;
    EXPECT_EQ(content_of("GET", status), content) << status;
    EXPECT_EQ(content_of("", status), content) << status;
    EXPECT_EQ(content_of("HEAD", status), tunnel ? Content::tunnel : Content::nothing) << status;
  }
  EXPECT_EQ(content_of("CONNECT", 200), Content::tunnel);
  EXPECT_EQ(content_of("CONNECT", 502), Content::body);
  // What is not known is taken for what most are.
  EXPECT_EQ(content_of("", 0), Content::body);
}

TEST(FramingRules, ALengthIsThatOfAnotherResponseBehindHeadAnd304) {
  EXPECT_TRUE(tells_of_another("HEAD", 200));
  EXPECT_TRUE(tells_of_another("HEAD", 304));
  EXPECT_TRUE(tells_of_another("GET", 304));
  EXPECT_TRUE(tells_of_another("", 304));
  EXPECT_FALSE(tells_of_another("HEAD", 204));
  EXPECT_FALSE(tells_of_another("HEAD", 101));
  EXPECT_FALSE(tells_of_another("GET", 200));
  EXPECT_FALSE(tells_of_another("", 0));
}

TEST(FramingRules, AMethodIsTheLastThatIsSet) {
  HeaderMutation mutation;
  EXPECT_FALSE(makes_head(mutation));
  mutation.set(":method", "HEAD");
  EXPECT_TRUE(makes_head(mutation));
  mutation.set(":method", "GET");
  EXPECT_FALSE(makes_head(mutation));
}

TEST(FramingRules, AValueIsTheOnlyOneWhereNothingElseIsSet) {
  HeaderMutation mutation;
  mutation.remove("content-length");
  mutation.set("x-a", "2");
  EXPECT_TRUE(sets_only(mutation, "content-length", "1"));
  mutation.set("Content-Length", "1");
  EXPECT_TRUE(sets_only(mutation, "content-length", "1"));
  EXPECT_FALSE(sets_only(mutation, "content-length", "2"));
  HeaderMutation twice = mutation;
  twice.set("content-length", "2");
  EXPECT_FALSE(sets_only(twice, "content-length", "2"));
  mutation.append("content-length", "1");
  EXPECT_FALSE(sets_only(mutation, "content-length", "1"));
}

TEST(FramingRules, ChangesOfTheFramingAreFound) {
  HeaderMutation mutation;
  mutation.set("x-a", "1");
  mutation.set("content-type", "a");
  mutation.remove(":status");
  EXPECT_EQ(framing_changes({}), 0U);
  EXPECT_EQ(framing_changes(mutation), 0U);
  mutation.set("Content-Length", "1");
  mutation.set(":method", "GET");
  EXPECT_EQ(framing_changes(mutation), kSetsLength | kSetsMethod);
  mutation.remove("content-length");
  EXPECT_EQ(framing_changes(mutation), kSetsLength | kSetsMethod | kRemovesLength);
  leave_out(mutation, "content-length");
  EXPECT_EQ(framing_changes(mutation), kSetsMethod | kRemovesLength);
  EXPECT_EQ(mutation.size(), 5U);
}

TEST(FramingRules, AStatusIsAnyNumberFrom200Up) {
  const std::vector<Header> headers = {{"x-a", "1"}, {":status", "206"}};
  EXPECT_EQ(status_of(headers), 206);
  EXPECT_EQ(status_of({}), 0);
  HeaderMutation mutation;
  EXPECT_EQ(status_after(206, mutation), 206);
  for (const char* ignored : {"199", "abc", "", "204x"}) mutation.set(":status", ignored);
  EXPECT_EQ(status_after(206, mutation), 206);
  mutation.set(":status", "304");
  EXPECT_EQ(status_after(206, mutation), 304);
  mutation.set(":status", "205");
  EXPECT_EQ(status_after(206, mutation), 205);
}

std::vector<Header> many(const std::vector<std::string>& names, std::size_t count) {
  std::vector<Header> headers;
  for (std::size_t i = 0; i < count; ++i) headers.push_back({names[i], "v"});
  return headers;
}

TEST(FramingRules, AHundredHeadersOf60KiBFit) {
  std::vector<std::string> names;
  for (int i = 0; i < 200; ++i) names.push_back("x-" + std::to_string(i));
  HeaderMutation one;
  one.set("x-new", "v");
  EXPECT_TRUE(fits(many(names, 99), one));
  EXPECT_FALSE(fits(many(names, 100), one));
  // One that is there is replaced, and one that goes makes room.
  HeaderMutation replaced;
  replaced.set("x-1", "w");
  EXPECT_TRUE(fits(many(names, 100), replaced));
  one.remove("x-2");
  EXPECT_TRUE(fits(many(names, 100), one));
  HeaderMutation appended;
  appended.append("x-1", "w");
  EXPECT_FALSE(fits(many(names, 100), appended));
  HeaderMutation sets;
  for (int i = 0; i < 101; ++i) sets.set("x-1", "w");
  EXPECT_FALSE(fits(many(names, 1), sets));

  const std::string value((std::size_t{60} << 10) - 3, 'v');
  const std::vector<Header> large = {{"x-1", value}};
  EXPECT_TRUE(fits(large, {}));
  HeaderMutation small;
  small.set("a", "");
  EXPECT_FALSE(fits(large, small));
  small.remove("x-1");
  EXPECT_TRUE(fits(large, small));
}

}  // namespace
}  // namespace extproc::rules
