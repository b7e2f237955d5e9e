#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "blocks/http_peer.h"
#include "blocks/jwt_tokens.h"
#include "extproc/error.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"
#include "extproc/testing/exported.h"

namespace extproc::testing {
namespace {

using namespace std::chrono_literals;
using client::Answer;
using client::HttpPeer;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

/// As `extproc config` writes it.
constexpr std::string_view kFilter = R"(
  message_timeout: 2.5s
  metadata_options: {receiving_namespaces: {untyped: [jwt_auth]}}
  processing_mode: {response_header_mode: SKIP}
)";

std::string token(std::string_view kid) {
  for (const auto& [name, text] : jwt::tokens::kTokens) {
    if (name == kid) return std::string(text);
  }
  return "";
}

/// A set of those of the keys.
std::string keys(const std::vector<std::string>& kids) {
  const std::string_view all = jwt::tokens::kKeys;
  std::string set = R"({"keys": [)";
  for (const std::string& kid : kids) {
    const auto at = all.find("\"kid\": \"" + kid + "\"");
    const auto begin = all.rfind('{', at);
    if (&kid != &kids.front()) set += ", ";
    set += all.substr(begin, all.find('}', at) + 1 - begin);
  }
  return set + "]}";
}

/// An issuer, and a processor that asks it.
class ProductionJwtAuth : public ::testing::Test {
 protected:
  void set_keys(std::string keys) {
    const std::lock_guard lock(mutex_);
    answer_ = {.bytes = client::ok(keys)};
  }
  void set_answer(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  OwnSettings settings() const {
    OwnSettings own;
    own.set("jwks_url", issuer->url("/keys"))
        .set("issuer", "https://issuer.example")
        .set("audiences", std::vector<std::string>{"api"})
        .set("renewal_pause", "0")
        .set("wait", "0.3")
        .set("claims", std::vector{OwnSettings().set("claim", "/sub").set("header", "x-user"),
                                   OwnSettings().set("claim", "/none").set("header", "x-none")});
    return own;
  }
  static EnvoyResult play(const Service& auth, HeaderList headers) {
    auto result = Envoy(kFilter).run(auth, {.request = {.headers = std::move(headers)}});
    EXPECT_TRUE(result.violations.empty());
    EXPECT_TRUE(result.refusals.empty());
    return result;
  }
  static int status(const Service& auth, const std::string& kid) {
    return play(auth, {{"authorization", "Bearer " + token(kid)}}).caller.status;
  }

 private:
  std::mutex mutex_;
  Answer answer_{.bytes = client::ok(keys({"RS256"}))};

 protected:
  std::unique_ptr<HttpPeer> issuer =
      std::make_unique<HttpPeer>([this](const std::string&, int) -> Answer {
        const std::lock_guard lock(mutex_);
        return answer_;
      });
};

TEST_F(ProductionJwtAuth, ARequestWithATokenPassesWithItsClaims) {
  const Service auth = exported("JwtAuth", settings());
  const EnvoyResult result = play(auth, {{"authorization", "Bearer " + token("RS256")},
                                         {"x-user", "mallory"},
                                         {"x-none", "mallory"}});
  EXPECT_EQ(result.caller.status, 200);
  EXPECT_THAT(result.upstream.headers, Contains(Pair("x-user", "alice")));
  EXPECT_THAT(result.upstream.headers, Not(Contains(Pair(::testing::_, "mallory"))));
  const auto metadata = result.dynamic_metadata.find("jwt_auth");
  ASSERT_NE(metadata, result.dynamic_metadata.end());
  EXPECT_EQ(metadata->second.view().find("x-user")->string(), "alice");
  EXPECT_EQ(metadata->second.view().find("x-none"), std::nullopt);
  EXPECT_EQ(status(auth, "RS256"), 200);
  EXPECT_EQ(issuer->requests().size(), 1U);
}

TEST_F(ProductionJwtAuth, OneWithoutIsToldHowToAsk) {
  const Service auth = exported("JwtAuth", settings());
  for (const HeaderList& headers :
       {HeaderList{}, HeaderList{{"authorization", "Basic YTpi"}},
        HeaderList{{"authorization", "Bearer"}}, HeaderList{{"authorization", "Bearer a b"}},
        HeaderList{{"authorization", "Bearer " + token("RS256")}, {"authorization", "Bearer x"}}}) {
    const EnvoyResult result = play(auth, headers);
    EXPECT_EQ(result.caller.status, 401);
    EXPECT_THAT(result.caller.headers, Contains(Pair("www-authenticate", "Bearer realm=\"api\"")));
    EXPECT_FALSE(result.upstream.reached);
  }
  const EnvoyResult wrong = play(auth, {{"authorization", "Bearer a.b.c"}});
  EXPECT_EQ(wrong.caller.status, 401);
  EXPECT_THAT(wrong.caller.headers,
              Contains(Pair("www-authenticate",
                            HasSubstr(R"(, error="invalid_token", error_description=")"))));
}

TEST_F(ProductionJwtAuth, WhereItNeedNotBeNobodyIsBelievedWithoutOne) {
  const Service auth = exported("JwtAuth", settings().set("optional", true));
  const EnvoyResult result = play(auth, {{"x-user", "mallory"}});
  EXPECT_EQ(result.caller.status, 200);
  EXPECT_THAT(result.upstream.headers, Not(Contains(Key("x-user"))));
  EXPECT_EQ(play(auth, {{"authorization", "Bearer a.b.c"}}).caller.status, 401);
}

TEST_F(ProductionJwtAuth, AnotherAudienceOrIssuerIsRefused) {
  EXPECT_EQ(status(exported("JwtAuth", settings().set("issuer", "https://elsewhere")), "RS256"),
            401);
  EXPECT_EQ(status(exported("JwtAuth",
                            settings().set("audiences", std::vector<std::string>{"elsewhere"})),
                   "RS256"),
            401);
}

TEST_F(ProductionJwtAuth, ANewKeyIsFetchedOnceForAll) {
  const Service auth = exported("JwtAuth", settings().set("renewal_pause", "0.2"));
  EXPECT_EQ(status(auth, "RS256"), 200);
  set_keys(keys({"RS256", "ES256"}));
  std::this_thread::sleep_for(200ms);
  std::vector<std::thread> threads;
  std::atomic<int> passed{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (const char* kid : {"ES256", "RS256"}) passed += status(auth, kid) == 200 ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed, 16);
  EXPECT_EQ(issuer->requests().size(), 2U);
}

TEST_F(ProductionJwtAuth, AKeyThatNobodyHasCostsTheIssuerLittle) {
  const Service auth = exported("JwtAuth", settings().set("renewal_pause", "60"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(status(auth, "ES512"), 401);
  EXPECT_EQ(issuer->requests().size(), 1U);
}

TEST_F(ProductionJwtAuth, AnIssuerThatIsDownMattersToNewKeysAlone) {
  const Service auth = exported("JwtAuth", settings());
  EXPECT_EQ(status(auth, "RS256"), 200);
  set_answer({.bytes = "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n"});
  EXPECT_EQ(status(auth, "ES256"), 401);
  EXPECT_EQ(status(auth, "RS256"), 200);
  set_answer({.bytes = client::ok("no set")});
  std::this_thread::sleep_for(1'010ms);  // what failed is not tried again at once
  EXPECT_EQ(status(auth, "ES256"), 401);
  EXPECT_EQ(status(auth, "RS256"), 200);
  issuer.reset();
  EXPECT_EQ(status(auth, "RS256"), 200);
}

TEST_F(ProductionJwtAuth, AnIssuerThatWasNeverThereIsNobodysFault) {
  set_answer({.closes = true});
  const Service auth = exported("JwtAuth", settings());
  const EnvoyResult result = play(auth, {{"authorization", "Bearer " + token("RS256")}});
  EXPECT_EQ(result.caller.status, 503);
  EXPECT_THAT(result.caller.headers, Contains(Pair("retry-after", "1")));
  EXPECT_EQ(play(auth, {}).caller.status, 401);
}

TEST_F(ProductionJwtAuth, ASlowIssuerIsWaitedForSoLong) {
  set_answer({.bytes = client::ok(keys({"RS256"})), .after = 10s});
  const Service auth = exported("JwtAuth", settings());
  EXPECT_EQ(status(auth, "RS256"), 503);
}

TEST_F(ProductionJwtAuth, SettingsThatAreNoneAreRefused) {
  EXPECT_THROW(exported("JwtAuth", OwnSettings().set("jwks_url", issuer->url())), Error);
  const Service unset = exported("JwtAuth");
  EXPECT_EQ(status(unset, "RS256"), 503) << "it can be asked what it needs, and serves nobody";
  EXPECT_THROW(exported("JwtAuth", settings().set("ca_file", "/none")), Error);
  EXPECT_THROW(exported("JwtAuth", settings().set("refresh", "0")), Error);
  EXPECT_THROW(
      exported(
          "JwtAuth",
          settings().set("claims",
                         std::vector{OwnSettings().set("claim", "sub").set("header", "x-user")})),
      Error);
}

}  // namespace
}  // namespace extproc::testing
