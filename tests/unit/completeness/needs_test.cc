// Each thing that a processor can state of its filter: what is written has it, what is checked
// misses it, and the test kit tells it.
#include "envoy/needs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "envoy/check/check.h"
#include "envoy/write/documents.h"
#include "extproc/chain.h"
#include "extproc/error.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"

namespace extproc {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// A need, the field of the filter that it is about, and the rule of `extproc check`.
struct Row {
  const char* field;
  const char* rule;
  std::function<void(Needs&)> state;
};

const Row kRows[] = {
    {"request_body_mode: STREAMED", "body-mode",
     [](Needs& n) { n.request_body_mode = BodySendMode::streamed; }},
    {"response_body_mode: STREAMED", "body-mode",
     [](Needs& n) { n.response_body_mode = BodySendMode::streamed; }},
    {"request_trailer_mode: SEND", "phase-not-sent", [](Needs& n) { n.request_trailers = true; }},
    {"response_trailer_mode: SEND", "phase-not-sent", [](Needs& n) { n.response_trailers = true; }},
    {"request_attributes", "attribute-not-sent",
     [](Needs& n) { n.request_attributes = {"source.address"}; }},
    {"response_attributes", "attribute-not-sent",
     [](Needs& n) { n.response_attributes = {"response.code"}; }},
    {"forwarding_namespaces.untyped", "metadata-not-forwarded",
     [](Needs& n) { n.metadata_read = {"com.example"}; }},
    {"receiving_namespaces.untyped", "metadata-not-received",
     [](Needs& n) { n.metadata_set = {"com.example"}; }},
    {"allow_mode_override: true", "mode-override-not-allowed",
     [](Needs& n) { n.mode_override = true; }},
    {"observability_mode: true", "observability-missing",
     [](Needs& n) { n.observability_mode = true; }},
    {"send_body_without_waiting_for_header_response: true", "body-waits-for-headers",
     [](Needs& n) { n.send_body_without_waiting_for_header_response = true; }},
    {"message_timeout: 1.5s", "message-timeout-too-short",
     [](Needs& n) { n.message_timeout = 1500ms; }},
    {"max_message_timeout: 3s", "max-message-timeout-too-short",
     [](Needs& n) { n.max_message_timeout = 3s; }},
    {"allow_all_routing: true", "header-rules", [](Needs& n) { n.allow_all_routing = true; }},
    {"allow_envoy: true", "header-rules", [](Needs& n) { n.allow_envoy = true; }},
};

constexpr PhaseSet kHandled{Phase::request_headers, Phase::request_body, Phase::response_headers,
                            Phase::response_body};

envoy_config::Needs of_filter(const Needs& stated) {
  return {.name = "Needy",
          .handled = kHandled,
          .request_body_mode = stated.request_body_mode,
          .response_body_mode = stated.response_body_mode,
          .request_data = stated.request_data,
          .stated = stated};
}

std::string written(const envoy_config::Needs& needs) {
  return envoy_config::write(envoy_config::Format::full,
                             {{needs, "needy", server::TcpAddress{"127.0.0.1", 50051}}}, {});
}

/// The filter alone, as the kit takes it.
std::string filter_of(const envoy_config::Needs& needs) {
  return envoy_config::write(envoy_config::Format::filter,
                             {{needs, "needy", server::TcpAddress{"127.0.0.1", 50051}}}, {});
}

std::vector<std::string> errors(const std::string& configuration,
                                const envoy_config::Needs& needs) {
  std::vector<std::string> rules;
  for (const auto& finding : envoy_config::check(configuration, {needs})) {
    if (finding.severity != envoy_config::Severity::error) continue;
    EXPECT_GT(finding.line, 0);
    EXPECT_FALSE(finding.mend.empty());
    rules.push_back(finding.rule + ": " + finding.what + " " + finding.mend);
  }
  return rules;
}

Handlers needy(const Needs& needs) {
  Handlers handlers("Needy");
  const auto nothing = [](auto&, auto&, auto&, auto&) {};
  handlers.process<Phase::request_headers>(nothing);
  handlers.process<Phase::request_body>(nothing);
  handlers.process<Phase::response_headers>(nothing);
  handlers.process<Phase::response_body>(nothing);
  handlers.needs(needs);
  return handlers;
}

std::vector<std::string> told_by_the_kit(const std::string& filter, const Needs& needs) {
  Handlers handlers = needy(needs);
  return testing::Envoy(filter).run(handlers, {}).unmet_needs;
}

class EachNeed : public ::testing::TestWithParam<Row> {
 protected:
  EachNeed() { GetParam().state(stated); }
  Needs stated;
};
INSTANTIATE_TEST_SUITE_P(Needs, EachNeed, ::testing::ValuesIn(kRows), [](const auto& row) {
  std::string name = row.param.field;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
});

TEST_P(EachNeed, IsWrittenAndThenNothingIsMissed) {
  const auto needs = of_filter(stated);
  const std::string field = GetParam().field;
  const std::string last = field.substr(field.find('.') + 1);
  EXPECT_THAT(written(needs), HasSubstr(last));
  EXPECT_THAT(errors(written(needs), needs), IsEmpty()) << written(needs);
  EXPECT_THAT(told_by_the_kit(filter_of(needs), stated), IsEmpty());
}

TEST_P(EachNeed, IsMissedWhereTheFilterLacksIt) {
  const std::string field = GetParam().field;
  // As for a processor that states nothing.
  const auto bare = of_filter({});
  EXPECT_THAT(errors(written(bare), bare), IsEmpty());
  const std::string name = field.substr(0, field.find(':'));
  EXPECT_THAT(errors(written(bare), of_filter(stated)),
              Contains(AllOf(HasSubstr(GetParam().rule), HasSubstr(name))));
  EXPECT_THAT(told_by_the_kit(filter_of(bare), stated),
              Contains(AllOf(HasSubstr("Needy needs"), HasSubstr(name))));
  EXPECT_THAT(told_by_the_kit(filter_of(bare), {}), IsEmpty());
}

// Where their body would be sent behind their answer, and only there, it is to be sent unasked.
TEST(Needs, HeadersThatWaitForTheirBody) {
  const Needs streamed{.request_body_mode = BodySendMode::streamed,
                       .response_body_mode = BodySendMode::streamed};
  for (const auto member :
       {&Needs::request_headers_wait_for_body, &Needs::response_headers_wait_for_body}) {
    Needs waits = streamed;
    waits.*member = true;
    const auto needs = of_filter(waits);
    EXPECT_THAT(written(needs), HasSubstr("send_body_without_waiting_for_header_response: true"));
    EXPECT_THAT(errors(written(needs), needs), IsEmpty());
    EXPECT_THAT(told_by_the_kit(filter_of(needs), waits), IsEmpty());
    const auto bare = of_filter(streamed);
    EXPECT_THAT(errors(written(bare), needs), ElementsAre(HasSubstr("headers-cannot-wait")));
    EXPECT_THAT(told_by_the_kit(filter_of(bare), waits), ElementsAre(HasSubstr("Needy decides ")));
    waits.request_body_mode = waits.response_body_mode = BodySendMode::full_duplex_streamed;
    EXPECT_THAT(written(of_filter(waits)), Not(HasSubstr("send_body_without")));
  }
}

// A new member has a row, or a test of its own.
TEST(Needs, AllHaveARow) {
  const auto& [request_body, response_body, request_waits, response_waits, request_trailers,
               response_trailers, request_data, request_attributes, response_attributes, read, set,
               override, observes, unwaited, timeout, longest, routing, envoy] = Needs{};
  EXPECT_EQ(std::size(kRows) + 3, 18U);
  EXPECT_TRUE(request_data);
}

TEST(Needs, WithoutTheRequestsDataItsHeadersAreNotSent) {
  envoy_config::Needs needs = of_filter({});
  needs.handled = {Phase::response_headers};
  EXPECT_THAT(written(needs), HasSubstr("request_header_mode: SEND"));
  needs.request_data = false;
  EXPECT_THAT(written(needs), HasSubstr("request_header_mode: SKIP"));
}

class Stating final : public Processor {
 public:
  Needs needs() const override { return {.message_timeout = 1s}; }
  bool blocking() const override { return true; }
  void process_request_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {}
};

TEST(Needs, AreThoseOfAClassOfFunctionsAndOfAChain) {
  EXPECT_EQ(Service::make<Stating>().needs().message_timeout, 1s);
  Handlers handlers = needy({.max_message_timeout = 2s});
  EXPECT_EQ(Service(handlers).needs().max_message_timeout, 2s);
  Chain chain({Service::make<Stating>(), handlers});
  EXPECT_EQ(Service(chain).needs(), (Needs{.message_timeout = 1s, .max_message_timeout = 2s}));
}

TEST(Needs, OfAChainThatContradictEachOtherAreAnError) {
  Handlers one = needy({.request_body_mode = BodySendMode::streamed});
  Handlers other("Other");
  other.process<Phase::request_headers>([](auto&, auto&, auto&, auto&) {});
  other.needs({.request_body_mode = BodySendMode::buffered});
  Chain chain({one, other});
  EXPECT_THROW(static_cast<void>(Service(chain).needs()), Error);
  EXPECT_THROW(envoy_config::together({of_filter({.request_body_mode = BodySendMode::streamed}),
                                       of_filter({.request_body_mode = BodySendMode::buffered})}),
               Error);
}

TEST(Needs, OfOneFilterAreMerged) {
  const auto sum = envoy_config::together(
      {of_filter({.response_body_mode = BodySendMode::streamed, .metadata_set = {"a"}}),
       of_filter({.request_body_mode = BodySendMode::buffered,
                  .metadata_set = {"b"},
                  .mode_override = true})});
  EXPECT_EQ(sum.request_body_mode, BodySendMode::buffered);
  EXPECT_EQ(sum.response_body_mode, BodySendMode::streamed);
  EXPECT_TRUE(sum.overrides_mode());
  EXPECT_THAT(sum.stated.metadata_set, ElementsAre("a", "b"));
}

TEST(Needs, OfWhichOneIsIgnoredBesideTheOtherAreRefused) {
  auto needs =
      of_filter({.mode_override = true, .send_body_without_waiting_for_header_response = true});
  EXPECT_THROW(envoy_config::require_consistent(needs), Error);
}

TEST(Needs, ThatEnvoyGatewayCannotHaveAreRefused) {
  using envoy_config::Format;
  const auto write = [](const Needs& needs) {
    return envoy_config::write(
        Format::envoy_gateway,
        {{of_filter(needs), "needy", server::TcpAddress{"127.0.0.1", 50051}}}, {});
  };
  EXPECT_THAT(
      write({.request_attributes = {"source.address"},
             .response_attributes = {"response.code"},
             .metadata_read = {"com.a"},
             .metadata_set = {"com.b"},
             .message_timeout = 2s}),
      AllOf(HasSubstr("attributes: [source.address]"), HasSubstr("attributes: [response.code]"),
            HasSubstr("accessibleNamespaces: [com.a]"), HasSubstr("writableNamespaces: [com.b]"),
            HasSubstr("messageTimeout: 2000ms")));
  EXPECT_THROW(write({.observability_mode = true}), Error);
  EXPECT_THROW(write({.send_body_without_waiting_for_header_response = true}), Error);
  EXPECT_THROW(write({.max_message_timeout = 2s}), Error);
  EXPECT_THROW(write({.allow_envoy = true}), Error);
}

}  // namespace
}  // namespace extproc
