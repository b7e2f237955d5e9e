// Configurations of the filter that are refused, each with its reason.
#include <string>
#include <string_view>

#include "filter/filter_in_envoy.h"

namespace extproc::fake {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

struct Refused {
  const char* name;
  const char* config;
  const char* why;
};

class ConfigIsRefused : public ::testing::TestWithParam<Refused> {};

TEST_P(ConfigIsRefused, WithItsReason) {
  kit::take_envoy_log();
  const Config config(GetParam().config);
  EXPECT_FALSE(config.taken());
  EXPECT_THAT(kit::take_envoy_log(),
              Contains(AllOf(HasSubstr("extproc: "), HasSubstr(GetParam().why))));
}

INSTANTIATE_TEST_SUITE_P(
    All, ConfigIsRefused,
    ::testing::Values(
        Refused{"nothing", "", "names no processor"},
        Refused{"no_json", "{\"processors\": [}", "it is no JSON"},
        Refused{"no_yaml", "processors: [", "it is no YAML"},
        Refused{"yaml_twice", "a: 1\na: 2\n", "filter_config:2: a is given twice"},
        Refused{"yaml_key", "processors: [{name: Looks}]\nprocesing_mode: {}\n",
                "did you mean \"processing_mode\"?"},
        Refused{"no_mapping", "[1]", "must be a mapping"},
        Refused{"twice", R"({"a": 1, "a": 2})", "a is given twice"},
        Refused{"unknown_key", R"({"processors": [{"name": "Looks"}], "procesing_mode": {}})",
                "did you mean \"processing_mode\"?"},
        Refused{"unknown_processor", R"({"processors": [{"name": "Nobody"}]})",
                "exports no Nobody"},
        Refused{"no_module", R"({"processors": [{"name": "absent.Nobody"}]})",
                "there is no module absent"},
        Refused{
            "full_duplex",
            R"({"processors": [{"name": "Shouts"}], "processing_mode": {"request_body_mode": "FULL_DUPLEX_STREAMED"}})",
            "use STREAMED"},
        Refused{"needs_full_duplex", R"({"processors": [{"name": "States"}]})",
                "STREAMED where that suits it"},
        Refused{
            "observed_buffer",
            R"({"processors": [{"name": "Looks"}], "observability_mode": true, "processing_mode": {"request_body_mode": "BUFFERED"}})",
            "must be STREAMED or NONE"},
        Refused{"grpc_service", R"({"processors": [{"name": "Looks"}], "grpc_service": {}})",
                "is for ext_proc"},
        Refused{"message_timeout",
                R"({"processors": [{"name": "Looks"}], "message_timeout": "1s"})",
                "fall_back_after"},
        Refused{"own_missing", R"({"processors": [{"name": "Own"}]})", "number is missing"},
        Refused{"own_not_taken", R"({"processors": [{"name": "Looks", "settings": {"a": 1}}]})",
                "takes no settings"},
        Refused{"start", R"({"processors": [{"name": "Cannot"}]})", "no keys"},
        Refused{"header", R"({"processors": [{"name": "Looks"}], "applied_header": "host"})",
                "applied_header is \"host\""}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace extproc::fake
