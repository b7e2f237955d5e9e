// The filter in a fake Envoy: what becomes of a request where a hook of it fails.
#include <memory>
#include <string>

#include "envoy/kit/inside/hooks.h"
#include "filter/filter_in_envoy.h"

namespace extproc::fake {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::string allow_failures(bool allow) {
  return std::string(R"("failure_mode_allow": )") + (allow ? "true" : "false");
}

// Wherever that is: half of what was to be done may be done, so that none of it goes on.
TEST_F(FilterInEnvoy, AHookThatFails) {
  for (const char* processor : {"Changes", "Looks"}) {
    for (const char* mode : {"NONE", "BUFFERED", "STREAMED", "BUFFERED_PARTIAL"}) {
      for (const bool allow : {true, false}) {
        bool fails = true;
        for (int calls = 1; fails; ++calls) {
          const auto it = stream(make(processor, allow_failures(allow) + ", " + modes(mode, mode)));
          it->fail_in(calls);
          it->request_headers(false);
          it->request_body("ab", false);
          it->request_body("cd", true);
          EXPECT_TRUE(until([&] { return it->reply() || it->upstream().ended; }));
          if (!it->reply()) {
            EXPECT_EQ(upper(it->upstream().body), "ABCD");
          }
          it->response_headers({{":status", "200"}}, false);
          it->response_body("ef", false);
          it->response_trailers({{"x-t", "1"}});
          EXPECT_TRUE(until([&] { return it->reply() || it->downstream().ended; }));
          if (!it->reply()) {
            EXPECT_EQ(upper(it->downstream().body), "EF");
          }
          fails = it->has_failed();
          it->fail_in(-1);
          const bool passed_by = allow && it->value(abi::kRequestHeaders, "x-seen").empty();
          EXPECT_TRUE(it->reply() || !fails || passed_by);
          if (fails) {
            EXPECT_THAT(kit::take_envoy_log(), Contains(HasSubstr("failed: ")));
          }
          if (it->reply()) {
            EXPECT_EQ(it->reply()->status, 500);
          }
          ASSERT_FALSE(HasFailure())
              << processor << " " << mode << " " << allow << ", call " << calls;
        }
      }
    }
  }
}

// Of one that Envoy counted none of the processors know.
TEST_F(FilterInEnvoy, AStreamThatCannotBegin) {
  Worker other(99);
  for (const char* processor : {"Looks", "Waits"}) {
    for (const bool allow : {true, false}) {
      const auto config = make(processor, allow_failures(allow));
      const auto it = Stream::make(other, config);
      it->request_headers(false);
      EXPECT_THAT(kit::take_envoy_log(),
                  Contains(HasSubstr("the filter failed: Envoy has a worker 99")));
      it->request_body("ab", true);
      EXPECT_EQ(it->reply().has_value(), !allow);
      EXPECT_EQ(it->upstream().ended, allow);
      it->response_headers({{":status", "200"}}, true);
      EXPECT_EQ(it->downstream().ended, allow);
    }
  }
}

}  // namespace
}  // namespace extproc::fake
