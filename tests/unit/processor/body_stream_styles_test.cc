// Handlers over a whole body, as members of a class and as registered functions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <memory>
#include <string>
#include <vector>

#include "extproc/async.h"
#include "extproc/extproc.h"
#include "extproc/testing.h"

namespace extproc {
namespace {

using testing::AsEnvoyExtProc;
using testing::envoy_body;
using testing::envoy_headers;

Task<> shout(BodyStream& body) {
  while (auto chunk = co_await body.read()) {
    std::string text(chunk->body());
    for (char& c : text) c = static_cast<char>(std::toupper(c));
    body.write(text);
  }
  body.write("!");
}

Task<> count(BodyStream& body, Request& request) {
  while (auto chunk = co_await body.read()) request.state<std::size_t>() += chunk->body().size();
  body.write(std::to_string(request.state<std::size_t>()));
}

class Class : public AsyncProcessor {
 public:
  Task<> stream_request_body(BodyStream& body, Context&, Request& request) override {
    EXPECT_EQ(request.phase(), Phase::request_body);
    return shout(body);
  }
  Task<> stream_response_body(BodyStream& body, Context&, Request& request) override {
    EXPECT_EQ(body.phase(), Phase::response_body);
    return count(body, request);
  }
};

Service registered() {
  auto handlers = std::make_shared<Handlers>("Class");
  handlers
      ->process<Phase::request_body>(
          [](BodyStream& body, Context&, Request&) { return shout(body); })
      .process<Phase::response_body>(
          [](auto& body, Context&, Request& request) { return count(body, request); });
  return handlers;
}

std::vector<std::string> bodies(const Service& service, const testing::Phases& phases) {
  const auto result = AsEnvoyExtProc(phases).process(service);
  EXPECT_EQ(result.status, GrpcStatus::ok);
  EXPECT_TRUE(result.log.empty()) << result.log.front();
  std::vector<std::string> bodies;
  for (const auto& response : result) {
    bodies.push_back(std::string(to_string(*response.phase)) + ": " +
                     (response.body_change == BodyChange::clear ? "(clear)" : response.body));
  }
  return bodies;
}

TEST(BodyStreamStyles, AnswerAlike) {
  const testing::Phases buffered{.request_headers = envoy_headers({{":path", "/"}}),
                                 .request_body = envoy_body("question"),
                                 .response_headers = envoy_headers({{":status", "200"}}),
                                 .response_body = envoy_body("answer")};
  const testing::Phases streamed{
      .request_headers = envoy_headers({{":path", "/"}}),
      .request_body = envoy_body(std::vector<std::string>{"que", "sti", "on"}),
      .response_headers = envoy_headers({{":status", "200"}}),
      .response_body = envoy_body(std::vector<std::string>{"ans", "wer"})};
  const Service classes = Service::make<Class>();
  const Service functions = registered();
  EXPECT_EQ(classes.handled_phases(), functions.handled_phases());
  EXPECT_EQ(classes.handled_phases(), (PhaseSet{Phase::request_body, Phase::response_body}));
  for (const Service* service : {&classes, &functions}) {
    EXPECT_THAT(bodies(*service, buffered),
                ::testing::ElementsAre("request_headers: ", "request_body: QUESTION!",
                                       "response_headers: ", "response_body: 6"));
    EXPECT_THAT(
        bodies(*service, streamed),
        ::testing::ElementsAre("request_headers: ", "request_body: QUE", "request_body: STI",
                               "request_body: ON!", "response_headers: ", "response_body: (clear)",
                               "response_body: 6"));
  }
}

// The phases that a processor names itself count, also against the members that it has.
TEST(BodyStreamStyles, AreNotCalledForAPhaseThatIsNotHandled) {
  class Quiet : public Class {
   public:
    PhaseSet handled_phases() const { return {Phase::response_body}; }
  };
  EXPECT_THAT(
      bodies(Service::make<Quiet>(), {.request_headers = envoy_headers({{":path", "/"}}),
                                      .request_body = envoy_body("question"),
                                      .response_headers = envoy_headers({{":status", "200"}}),
                                      .response_body = envoy_body("answer")}),
      ::testing::ElementsAre(
          "request_headers: ", "request_body: ", "response_headers: ", "response_body: 6"));
}

TEST(BodyStreamStyles, CannotBlock) {
  auto handlers = std::make_shared<Handlers>("Blocking");
  handlers
      ->process<Phase::request_body>(
          [](BodyStream& body, Context&, Request&) { return shout(body); })
      .blocking();
  EXPECT_THROW(Service{handlers}, Error);
}

TEST(BodyStreamStyles, AreOneHandlerOfTheirPhase) {
  Handlers twice("Twice");
  twice.process<Phase::request_body>([](auto&, auto&, auto&, auto&) {});
  EXPECT_THROW(twice.process<Phase::request_body>(
                   [](BodyStream& body, Context&, Request&) { return shout(body); }),
               Error);
}

}  // namespace
}  // namespace extproc
