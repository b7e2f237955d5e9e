#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/access.h"
#include "extproc/header_mutation.h"
#include "extproc/headers.h"
#include "extproc/request.h"

namespace extproc {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

const std::vector<Header> kEntries{
    {":method", "GET"}, {"accept", "a"}, {"x-empty", ""}, {"accept", "b"}};

TEST(HeaderView, GivesTheFirstValueWhateverTheCase) {
  const HttpHeaders headers(kEntries, true);
  EXPECT_EQ(headers.get_header("accept"), "a");
  EXPECT_EQ(headers.get_header("ACCept"), "a");
  EXPECT_EQ(headers.get_header("x-empty"), "");
  EXPECT_EQ(headers.get_header("accep"), std::nullopt);
  EXPECT_TRUE(headers.end_of_stream());
}

TEST(HeaderView, GivesAllValues) {
  const HttpTrailers trailers(kEntries);
  EXPECT_THAT(trailers.get_all("Accept"), ElementsAre("a", "b"));
  EXPECT_TRUE(trailers.get_all("none").empty());
}

TEST(HeaderView, MapsNamesToKeys) {
  const HttpHeaders headers(kEntries, false);
  EXPECT_THAT(
      headers.get_headers({{":method", "method"}, {"Accept", "accept"}, {"x-none", "none"}}),
      ElementsAre(Pair("accept", "a"), Pair("method", "GET"), Pair("none", std::nullopt)));
}

TEST(HeaderView, CanBeIterated) {
  std::string names;
  for (const auto& [name, value] : HttpHeaders(kEntries, false)) names.append(name).append(" ");
  EXPECT_EQ(names, ":method accept x-empty accept ");
}

TEST(HeaderMutation, KeepsTheOrderAndLowersNames) {
  HeaderMutation mutation;
  mutation.set("X-A", "Value");
  mutation.append("x-a", "");
  mutation.remove("X-B");
  ASSERT_EQ(mutation.size(), 3U);
  EXPECT_EQ(mutation.at(0).name, "x-a");
  EXPECT_EQ(mutation.at(0).value, "Value");
  EXPECT_EQ(mutation.at(1).operation, HeaderMutation::Operation::append);
  EXPECT_EQ(mutation.at(2).name, "x-b");
  EXPECT_TRUE(mutation.sets("X-a"));
  EXPECT_FALSE(mutation.sets("x-b"));
  mutation.clear();
  EXPECT_TRUE(mutation.empty());
}

TEST(HeaderMutation, LowersEachCharacterWhereverItStands) {
  for (unsigned c = 0; c < 256; ++c) {
    for (std::size_t at = 0; at < 20; ++at) {
      std::string name(20, 'a');
      name[at] = static_cast<char>(c);
      HeaderMutation mutation;
      mutation.remove(name);
      name[at] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : static_cast<char>(c);
      EXPECT_EQ(mutation.at(0).name, name) << c << " at " << at;
    }
  }
}

TEST(Request, StartsUnknown) {
  const Request request;
  EXPECT_EQ(request.id(), "unknown");
  EXPECT_EQ(request.phase(), std::nullopt);
  EXPECT_EQ(request.overhead().count(), 0);
  EXPECT_EQ(request.method(), "");
}

TEST(Request, TakesTheStandardHeadersOver) {
  Request request;
  {
    const std::string method = "PUT", path = "/p?q", id = "0123456789", type = "application/json",
                      length = "14";
    const std::vector<Header> entries{{":method", method},        {":path", path},
                                      {"x-request-id", id},       {"content-type", type},
                                      {"content-length", length}, {"x-request-id", "second"}};
    const HttpHeaders headers(entries, false);
    detail::Access::begin_phase(request, Phase::request_headers, &headers);
  }
  EXPECT_EQ(request.method(), "PUT");
  EXPECT_EQ(request.path(), "/p?q");
  EXPECT_EQ(request.id(), "0123456789");
  EXPECT_EQ(request.content_type(), "application/json");
  EXPECT_EQ(request.content_length(), 14U);

  const std::vector<Header> response{{"content-type", "text/plain"}, {"content-length", "1x"}};
  const HttpHeaders headers(response, false);
  detail::Access::begin_phase(request, Phase::response_headers, &headers);
  EXPECT_EQ(request.content_type(), "text/plain");
  EXPECT_EQ(request.content_length(), std::nullopt);
  EXPECT_EQ(request.method(), "PUT");
  EXPECT_EQ(request.phase(), Phase::response_headers);
}

TEST(Request, KeepsStateOfSeveralTypes) {
  struct Counted {
    int* destroyed = nullptr;
    ~Counted() {
      if (destroyed != nullptr) ++*destroyed;
    }
  };
  int destroyed = 0;
  {
    Request request;
    request.state<Counted>().destroyed = &destroyed;
    request.state<std::string>() = "kept";
    EXPECT_EQ(request.state<Counted>().destroyed, &destroyed);
    EXPECT_EQ(request.state<std::string>(), "kept");
    detail::Access::reset(request);
    EXPECT_EQ(destroyed, 1);
    EXPECT_EQ(request.state<std::string>(), "");
    request.state<Counted>().destroyed = &destroyed;
  }
  EXPECT_EQ(destroyed, 2);
}

}  // namespace
}  // namespace extproc
