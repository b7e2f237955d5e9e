#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "extproc/extproc.h"
#include "extproc/testing.h"

namespace extproc::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// Answers with what it saw.
class Mirror : public Processor {
 public:
  void process_request_headers(const HttpHeaders& headers, Context& context, Request&,
                               HeadersResponse& response) override {
    for (const auto& [name, value] : headers) response.append_header(name, value);
    response.set_header("eos", headers.end_of_stream() ? "true" : "false");
    response.set_header("peer", context.peer());
    response.remove_header("gone");
  }
  void process_request_body(const HttpBody& body, Context&, Request&,
                            BodyResponse& response) override {
    response.replace_body(std::string(body.body()) + (body.end_of_stream() ? " eos" : ""));
  }
  void process_response_headers(const HttpHeaders&, Context& context, Request&,
                                HeadersResponse&) override {
    context.abort(GrpcStatus::permission_denied, "enough");
  }
};

TEST(AsEnvoyExtProc, SendsOnlyThePhasesThatAreGiven) {
  Mirror processor;
  const auto result = AsEnvoyExtProc({.request_body = envoy_body("x")}).process(processor);
  ASSERT_EQ(result.responses.size(), 1U);
  EXPECT_EQ(result.responses[0].phase, Phase::request_body);
  EXPECT_EQ(result.responses[0].body, "x eos");
}

TEST(AsEnvoyExtProc, TellsOfThePeersCertificateWhereThereIsOne) {
  Handlers handlers("P");
  handlers.process<Phase::request_headers>(
      [](auto&, Context& context, auto&, HeadersResponse& response) {
        const PeerCertificate* peer = context.peer_certificate();
        response.set_header("subject", peer == nullptr ? "none" : peer->subject);
      });
  const Phases phases{.request_headers = envoy_headers({{"a", "1"}})};
  const auto clear = AsEnvoyExtProc(phases).process(handlers);
  EXPECT_EQ(envoy_set_headers_to_dict(clear.responses.at(0)).at("subject"), "none");
  const auto secure =
      AsEnvoyExtProc(phases, {.peer_certificate = PeerCertificate{.subject = "CN=envoy"}})
          .process(handlers);
  EXPECT_EQ(envoy_set_headers_to_dict(secure.responses.at(0)).at("subject"), "CN=envoy");
}

TEST(AsEnvoyExtProc, KeepsRepeatedHeadersAndTellsTheEnd) {
  Mirror processor;
  const auto alone = AsEnvoyExtProc({.request_headers = envoy_headers({{"a", "1"}, {"a", "2"}})})
                         .process(processor);
  EXPECT_THAT(envoy_set_headers_to_dict(alone.responses.at(0)),
              ElementsAre(Pair("a", "1,2"), Pair("eos", "true"), Pair("peer", "127.0.0.1:10000")));
  EXPECT_THAT(envoy_removed_headers(alone.responses.at(0)), ElementsAre("gone"));

  const auto followed =
      AsEnvoyExtProc(
          {.request_headers = envoy_headers(std::map<std::string, std::string>{{"a", "1"}}),
           .request_body = envoy_body(std::vector<std::string>{"one", "two"}),
           .request_trailers = HeaderList{}},
          {.peer = "10.1.1.1:1"})
          .process(processor);
  ASSERT_EQ(followed.responses.size(), 4U);
  EXPECT_EQ(envoy_set_headers_to_dict(followed.responses[0]).at("eos"), "false");
  EXPECT_EQ(envoy_set_headers_to_dict(followed.responses[0]).at("peer"), "10.1.1.1:1");
  EXPECT_EQ(followed.responses[1].body, "one");
  EXPECT_EQ(followed.responses[2].body, "two");
}

TEST(AsEnvoyExtProc, StopsAtAnError) {
  Mirror processor;
  const auto result = AsEnvoyExtProc({.response_headers = envoy_headers({{":status", "200"}}),
                                      .response_body = envoy_body("never")})
                          .process(processor);
  EXPECT_TRUE(result.responses.empty());
  EXPECT_EQ(result.status, GrpcStatus::permission_denied);
  EXPECT_EQ(result.status_message, "enough");
  EXPECT_EQ(result.find(Phase::response_headers), nullptr);
  EXPECT_EQ(result.immediate_response(), nullptr);
}

}  // namespace
}  // namespace extproc::testing
