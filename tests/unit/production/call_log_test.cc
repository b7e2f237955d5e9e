#include "extproc/call_log.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "extproc/chain.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"
#include "extproc/testing/exported.h"

namespace extproc::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// As `extproc config` writes it for the processor alone.
constexpr std::string_view kObserves = R"(
  observability_mode: true
  request_attributes: [xds.route_name, source.address]
  processing_mode:
    request_body_mode: STREAMED
    response_body_mode: STREAMED
    response_trailer_mode: SEND
)";
/// In a chain with handlers over whole bodies.
constexpr std::string_view kAnswers = R"(
  request_attributes: [xds.route_name, source.address]
  processing_mode:
    request_body_mode: FULL_DUPLEX_STREAMED
    response_body_mode: FULL_DUPLEX_STREAMED
    request_trailer_mode: SEND
    response_trailer_mode: SEND
)";

class ProductionCallLog : public ::testing::Test {
 protected:
  ~ProductionCallLog() override { fs::remove(file); }

  OwnSettings settings() const { return OwnSettings().set("file", file.string()); }
  /// The lines of processors that have gone.
  std::string lines() const {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const fs::path file =
      fs::temp_directory_path() / ("extproc-production-" + std::to_string(::getpid()));
};

TEST_F(ProductionCallLog, OnlyLooksOn) {
  {
    const Service log = exported("CallLog", settings());
    const auto result = Envoy(kObserves).run(
        log, {.request = {.headers = {{":method", "POST"}, {":path", "/a"}}, .body = {"12", "3"}},
              .upstream = {.headers = {{":status", "202"}}, .body = {"abcd"}}});
    EXPECT_EQ(result.upstream.body, "123");
    EXPECT_EQ(result.caller.body, "abcd");
    EXPECT_TRUE(result.unmet_needs.empty());
    EXPECT_TRUE(result.violations.empty());
  }
  EXPECT_THAT(lines(),
              AllOf(HasSubstr(R"("method":"POST","path":"/a","status":202)"),
                    HasSubstr(R"("request_bytes":3,"response_bytes":4)"), HasSubstr("}\n")));
}

TEST_F(ProductionCallLog, SeesNoBodiesWhereItNeedNot) {
  {
    const Service log = exported("CallLog", settings().set("bodies", false));
    Envoy("processing_mode: {request_body_mode: STREAMED, response_body_mode: STREAMED}")
        .run(log, {.request = {.body = {"12"}}, .upstream = {.body = {"abcd"}}});
  }
  EXPECT_THAT(lines(), AllOf(HasSubstr(R"("status":200)"), Not(HasSubstr("_bytes"))));
}

/// Refuses, and says why in the line.
class Refuses final : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request& request,
                               HeadersResponse& response) override {
    request.shared<CallFields>().set_user("eve");
    request.shared<CallFields>().set("reason", "expired");
    response.respond({.status = 401});
  }
};

TEST_F(ProductionCallLog, TellsWhatTheChainAnswersItself) {
  {
    Chain chain({exported("CallLog", settings()), Service::make<Refuses>()});
    const auto result = Envoy(kAnswers).run(chain, {});
    EXPECT_EQ(result.caller.status, 401);
  }
  EXPECT_THAT(lines(), AllOf(HasSubstr(R"("status":401)"), HasSubstr(R"("user":"eve")"),
                             HasSubstr(R"("fields":{"reason":"expired"})")));
}

TEST_F(ProductionCallLog, PassesBodiesOnInAChain) {
  {
    Chain chain({exported("CallLog", settings())});
    const auto result = Envoy(kAnswers).run(
        chain, {.request = {.body = {"12", "3"}},
                .upstream = {.body = {"ab", "cd"}, .trailers = HeaderList{{"grpc-status", "5"}}}});
    EXPECT_EQ(result.upstream.body, "123");
    EXPECT_EQ(result.caller.body, "abcd");
    EXPECT_TRUE(result.violations.empty());
  }
  EXPECT_THAT(lines(), AllOf(HasSubstr(R"("grpc_status":"5")"),
                             HasSubstr(R"("request_bytes":3,"response_bytes":4)")));
}

TEST_F(ProductionCallLog, RefusesSettingsThatItDoesNotKnow) {
  const OwnSettings own = settings().set("sampel", 0.5);
  (void)exported("CallLog", own);
  EXPECT_THROW(own.check_all_read(), Error);
  EXPECT_THROW((void)exported("CallLog", settings().set("sample", 7)), Error);
}

}  // namespace
}  // namespace extproc::testing
