#include "rules/needs.h"

#include <gtest/gtest.h>

#include <chrono>

namespace extproc::rules {
namespace {

using namespace std::chrono_literals;

Needs everything() {
  return {.request_body_mode = BodySendMode::streamed,
          .response_body_mode = BodySendMode::buffered,
          .request_headers_wait_for_body = true,
          .response_headers_wait_for_body = true,
          .request_trailers = true,
          .response_trailers = true,
          .request_data = true,
          .request_attributes = {"a"},
          .response_attributes = {"b"},
          .metadata_read = {"c"},
          .metadata_set = {"d"},
          .mode_override = true,
          .observability_mode = false,
          .send_body_without_waiting_for_header_response = true,
          .message_timeout = 1s,
          .max_message_timeout = 2s,
          .allow_all_routing = true,
          .allow_envoy = true};
}

TEST(NeedsOfTwo, AreWhatEitherNeeds) {
  Needs nothing;
  nothing.request_data = false;
  EXPECT_EQ(together(everything(), nothing), everything());
  EXPECT_EQ(together(nothing, everything()), everything());
  EXPECT_EQ(together(everything(), everything()), everything());
}

TEST(NeedsOfTwo, HaveAllNamesAndTheLongestTimes) {
  const Needs sum = together({.request_attributes = {"a", "b"},
                              .metadata_read = {"x"},
                              .message_timeout = 1s,
                              .max_message_timeout = 5s},
                             {.request_attributes = {"b", "c"},
                              .metadata_read = {"y"},
                              .message_timeout = 2s,
                              .max_message_timeout = 3s});
  EXPECT_EQ(sum, (Needs{.request_attributes = {"a", "b", "c"},
                        .metadata_read = {"x", "y"},
                        .message_timeout = 2s,
                        .max_message_timeout = 5s}));
}

// Whoever answers keeps the filter from only looking.
TEST(NeedsOfTwo, OnlyLookWhereBothDo) {
  const Needs looks{.observability_mode = true};
  EXPECT_TRUE(together(looks, looks).observability_mode);
  EXPECT_FALSE(together(looks, {}).observability_mode);
  EXPECT_FALSE(together({}, looks).observability_mode);
}

TEST(NeedsOfTwo, ContradictInTheModeOfABodyAlone) {
  const Needs streamed{.request_body_mode = BodySendMode::streamed};
  EXPECT_FALSE(contradict(streamed, streamed));
  EXPECT_FALSE(contradict(streamed, {}));
  EXPECT_FALSE(contradict(streamed, {.response_body_mode = BodySendMode::buffered}));
  EXPECT_TRUE(contradict(streamed, {.request_body_mode = BodySendMode::buffered}));
  EXPECT_TRUE(contradict({.response_body_mode = BodySendMode::none},
                         {.response_body_mode = BodySendMode::buffered}));
}

TEST(NeedsInSettings, FillWhatHasEnvoysDefault) {
  const FilterSettings filled = filled_in({}, everything());
  EXPECT_EQ(filled.message_timeout, 1s);
  EXPECT_EQ(filled.max_message_timeout, 2s);
  EXPECT_TRUE(filled.allow_all_routing);
  EXPECT_TRUE(filled.allow_envoy);
  EXPECT_TRUE(filled.allow_mode_override);
  const FilterSettings kept =
      filled_in({.message_timeout = 3s, .max_message_timeout = 4s}, everything());
  EXPECT_EQ(kept.message_timeout, 3s);
  EXPECT_EQ(kept.max_message_timeout, 4s);
  const FilterSettings alone = filled_in({.allow_envoy = true}, {});
  EXPECT_EQ(alone.message_timeout, 200ms);
  EXPECT_TRUE(alone.allow_envoy);
  EXPECT_FALSE(alone.allow_all_routing);
}

}  // namespace
}  // namespace extproc::rules
