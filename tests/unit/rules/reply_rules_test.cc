// What an answer to the caller does to Envoy's own reply, and when it comes too late.
#include "rules/reply_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "stream/every_mode.h"

namespace extproc::rules {
namespace {

using Operation = HeaderMutation::Operation;

TEST(ReplyRules, TheFirstOfANameOverwritesAndTheOthersAreAdded) {
  const HeaderMutation mutation = immediate_headers(
      {.headers = {{"A", "1"}, {"b", "2"}, {"a", "3"}}, .removed_headers = {"C"}});
  std::vector<std::string> all;
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const auto [operation, name, value] = mutation.at(i);
    const char* verb = operation == Operation::set      ? "set "
                       : operation == Operation::append ? "append "
                                                        : "remove ";
    all.push_back(verb + std::string(name) + "=" + std::string(value));
  }
  EXPECT_THAT(all, ::testing::ElementsAre("set a=1", "set b=2", "append a=3", "remove c="));
}

TEST(ReplyRules, HeadersHaveLeftWithAStreamedBodyAndWithTrailersBehindAnyButABufferedOne) {
  for (const BodySendMode mode : stream::kModes) {
    const bool streams = mode == BodySendMode::streamed || is_full_duplex(mode);
    EXPECT_EQ(headers_may_have_left(Phase::response_body, mode), streams) << to_string(mode);
    EXPECT_EQ(headers_may_have_left(Phase::response_trailers, mode), mode != BodySendMode::buffered)
        << to_string(mode);
    for (const Phase phase : {Phase::request_headers, Phase::request_body, Phase::request_trailers,
                              Phase::response_headers})
      EXPECT_FALSE(headers_may_have_left(phase, mode)) << to_string(mode);
  }
  EXPECT_FALSE(headers_may_have_left(Phase::response_body, std::nullopt));
  EXPECT_TRUE(headers_may_have_left(Phase::response_trailers, std::nullopt));
}

TEST(ReplyRules, PiecesAreTakenBesideNoBodyAndAFullDuplexOne) {
  for (const BodySendMode mode : stream::kModes) {
    EXPECT_EQ(takes_streamed_reply(mode),
              mode == BodySendMode::none || mode == BodySendMode::full_duplex_streamed)
        << to_string(mode);
  }
}

}  // namespace
}  // namespace extproc::rules
