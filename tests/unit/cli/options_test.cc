#include "cli/options.h"

#include <gmock/gmock.h>

namespace extproc::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ParseResult parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "extproc");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Options, NothingIsSetWithoutAFlag) {
  const auto options = parse({"serve"}).options;
  ASSERT_TRUE(options);
  EXPECT_EQ(options->service, std::nullopt);
  EXPECT_FALSE(options->logging);
  EXPECT_THAT(options->module_path, IsEmpty());
  const Settings& settings = options->settings;
  EXPECT_FALSE(settings.port || settings.listen || settings.grace_period || settings.drain_delay ||
               settings.threads || settings.blocking_threads);
}

TEST(Options, Long) {
  const auto options =
      parse({"serve", "--service", "m.N", "--port", "1234", "--grace-period", "2.5",
             "--drain-delay", "0", "--logging", "--threads", "3", "--blocking-threads", "4",
             "--module-path", "/a:/b", "--module-path", "/c"})
          .options;
  ASSERT_TRUE(options);
  EXPECT_EQ(options->service, "m.N");
  EXPECT_EQ(options->settings.port, 1234);
  EXPECT_EQ(options->settings.grace_period, 2500ms);
  EXPECT_EQ(options->settings.drain_delay, 0ms);
  EXPECT_TRUE(options->logging);
  EXPECT_EQ(options->settings.threads, 3U);
  EXPECT_EQ(options->settings.blocking_threads, 4U);
  EXPECT_THAT(options->module_path, ElementsAre("/a", "/b", "/c"));
}

TEST(Options, Short) {
  const auto options = parse({"serve", "-s", "m.N", "-p", "0", "-g", "1", "-l"}).options;
  ASSERT_TRUE(options);
  EXPECT_EQ(options->service, "m.N");
  EXPECT_EQ(options->settings.port, 0);
  EXPECT_EQ(options->settings.grace_period, 1s);
  EXPECT_TRUE(options->logging);
}

TEST(Options, Listen) {
  const auto options = parse({"serve", "--listen", "unix:/a"}).options;
  ASSERT_TRUE(options);
  EXPECT_EQ(options->settings.listen, "unix:/a");
}

TEST(Options, WrongUsageIsOneLineWithAHint) {
  const std::vector<const char*> cases[] = {{},
                                            {"unknown"},
                                            {"serve", "--unknown"},
                                            {"serve", "more"},
                                            {"serve", "-p"},
                                            {"serve", "-p", "x"},
                                            {"serve", "-p", "65536"},
                                            {"serve", "-p", "-1"},
                                            {"serve", "-g", "x"},
                                            {"serve", "-g", "-1"},
                                            {"serve", "-g", "nan"},
                                            {"serve", "--threads", "-1"},
                                            {"serve", "-p", "1", "--listen", "a:1"}};
  for (const auto& arguments : cases) {
    ::testing::internal::CaptureStderr();
    const ParseResult result = parse(arguments);
    const std::string message = ::testing::internal::GetCapturedStderr();
    EXPECT_FALSE(result.options) << message;
    EXPECT_EQ(result.exit_status, 2);
    EXPECT_THAT(message, AllOf(::testing::StartsWith("extproc: "), HasSubstr("--help\n")));
    EXPECT_EQ(std::ranges::count(message, '\n'), 1) << message;
  }
}

TEST(Options, HelpAndVersion) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"--version"}, "extproc 0."},
      {{"--help"}, "serve"},
      {{"serve", "--help"}, "--grace-period"},
      {{"serve", "-h"}, "SHUTDOWN_GRACE_PERIOD"}};
  for (const auto& [arguments, text] : cases) {
    ::testing::internal::CaptureStdout();
    const ParseResult result = parse(arguments);
    EXPECT_FALSE(result.options);
    EXPECT_EQ(result.exit_status, 0);
    EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr(text));
  }
}

}  // namespace
}  // namespace extproc::cli
