// What Envoy takes of an answer besides the changes of its phase.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Emits : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    response.set_dynamic_metadata("com.taken", Struct().set("first", "a").set("both", "a"));
    response.set_dynamic_metadata("com.other", Struct().set("first", "a"));
  }
  void process_response_headers(const HttpHeaders&, Context&, Request&,
                                HeadersResponse& response) override {
    response.set_dynamic_metadata("com.taken", Struct().set("both", List().append(1)));
  }
};

TEST(EnvoyMetadata, IsWhatTheFilterReceives) {
  Emits processor;
  EXPECT_THAT(Envoy("").run(processor, {}).dynamic_metadata, IsEmpty());

  const auto result = Envoy("metadata_options: {receiving_namespaces: {untyped: [com.taken]}}")
                          .run(processor, {.dynamic_metadata = {{"com.front", {{"a", "b"}}}}});
  ASSERT_EQ(result.dynamic_metadata.size(), 1U);
  const StructView taken = result.dynamic_metadata.at("com.taken").view();
  EXPECT_EQ(taken.find("first")->string(), "a");
  ASSERT_TRUE(taken.find("both")->list());
  EXPECT_EQ(taken.find("both")->list()->at(0).number(), 1);
  ASSERT_EQ(result.refusals.size(), 1U);
  EXPECT_EQ(result.refusals[0].rule, "dynamic_metadata");
}

class Overrides : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    response.override_mode({.response_body_mode = BodySendMode::buffered});
  }
  void process_response_headers(const HttpHeaders&, Context&, Request&,
                                HeadersResponse& response) override {
    response.override_mode({.response_trailer_mode = HeaderSendMode::send});
  }
};

TEST(EnvoyMetadata, ModeOverridesAreThoseThatCount) {
  Overrides processor;
  EXPECT_THAT(Envoy("").run(processor, {}).mode_overrides, IsEmpty());
  // A body mode that is left unset is sent as it stands.
  const ModeOverride first{.request_body_mode = BodySendMode::none,
                           .response_body_mode = BodySendMode::buffered};
  const ModeOverride second{.request_body_mode = BodySendMode::none,
                            .response_body_mode = BodySendMode::buffered,
                            .response_trailer_mode = HeaderSendMode::send};
  EXPECT_THAT(Envoy("allow_mode_override: true").run(processor, {}).mode_overrides,
              ElementsAre(first, second));
}

}  // namespace
}  // namespace extproc::testing
