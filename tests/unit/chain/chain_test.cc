#include "extproc/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "extproc/async.h"
#include "extproc/error.h"
#include "extproc/testing.h"

namespace extproc {
namespace {

using testing::AsEnvoyExtProc;
using ::testing::ElementsAre;
using testing::envoy_body;
using testing::envoy_headers;
using testing::envoy_set_headers_to_dict;
using ::testing::Pair;
using testing::Phases;
using ::testing::UnorderedElementsAre;

std::string seen(const HeaderView& headers, std::string_view name) {
  std::string all;
  for (const auto value : headers.get_all(name)) all += "[" + std::string(value) + "]";
  return all;
}

/// Notes what it sees, and does what it was made to do.
Handlers noting(const std::string& name, std::vector<std::string>& notes) {
  Handlers handlers(name);
  handlers.process<Phase::request_headers>([&notes, name](auto& headers, auto&, auto&, auto& r) {
    notes.push_back(name + " request " + seen(headers, "x-a"));
    r.append_header("x-a", name);
  });
  handlers.process<Phase::response_headers>([&notes, name](auto& headers, auto&, auto&, auto& r) {
    notes.push_back(name + " response " + seen(headers, "x-a"));
    r.append_header("x-a", name);
  });
  return handlers;
}

/// A chain of handlers that live as long as it.
struct TestChain {
  explicit TestChain(std::vector<Handlers> handlers) {
    for (auto& each : handlers) services.emplace_back(std::make_shared<Handlers>(std::move(each)));
    chain = std::make_unique<Chain>(services);
  }
  std::vector<Service> services;
  std::unique_ptr<Chain> chain;
};

Phases exchange() {
  return {.request_headers = envoy_headers({{":path", "/"}, {"x-a", "0"}}),
          .response_headers = envoy_headers({{":status", "200"}, {"x-a", "0"}})};
}

TEST(Chain, RunsInOrderAndBackAndMergesTheChanges) {
  std::vector<std::string> notes;
  TestChain test({noting("A", notes), noting("B", notes), noting("C", notes)});
  const auto result = AsEnvoyExtProc(exchange()).process(*test.chain);
  EXPECT_THAT(notes, ElementsAre("A request [0]", "B request [0][A]", "C request [0][A][B]",
                                 "C response [0]", "B response [0][C]", "A response [0][C][B]"));
  ASSERT_EQ(result.responses.size(), 2U);
  const auto& request = result.responses[0].header_mutation;
  ASSERT_EQ(request.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(request.at(i).operation, HeaderMutation::Operation::append);
    EXPECT_EQ(request.at(i).value, std::string(1, static_cast<char>('A' + i)));
  }
  EXPECT_EQ(envoy_set_headers_to_dict(result.responses[1]).at("x-ext-procs-applied"), "A,B,C");
}

TEST(Chain, MergesToTheNetEffect) {
  Handlers a("A"), b("B"), c("C");
  a.process<Phase::request_headers>([](auto&, auto&, auto&, auto& r) {
    r.set_header("x-1", "a");
    r.append_header("x-2", "a");
    r.remove_header("x-3");
  });
  b.process<Phase::request_headers>([](auto& headers, auto&, auto&, auto& r) {
    EXPECT_EQ(headers.get_header("x-3"), std::nullopt);
    r.append_header("x-1", "b");
    r.remove_header("x-2");
    r.set_header("x-3", "b");
    r.remove_header("host");
    r.set_header("x-envoy-a", "b");
  });
  c.process<Phase::request_headers>([](auto& headers, auto&, auto&, auto& r) {
    EXPECT_EQ(seen(headers, "x-1"), "[a][b]");
    EXPECT_EQ(headers.get_header("host"), "h");
    EXPECT_EQ(headers.get_header("x-envoy-a"), std::nullopt);
    r.set_header("x-1", "c");
    r.remove_header("x-1");
    r.append_header("x-2", "c");
  });
  TestChain test({std::move(a), std::move(b), std::move(c)});
  Phases phases{.request_headers = envoy_headers({{"host", "h"}, {"x-2", "0"}, {"x-3", "0"}})};
  const auto result = AsEnvoyExtProc(phases).process(*test.chain);
  EXPECT_THAT(envoy_set_headers_to_dict(result.responses.at(0)),
              UnorderedElementsAre(Pair("x-1", "c"), Pair("x-2", "c"), Pair("x-3", "b")));
  EXPECT_THAT(testing::envoy_removed_headers(result.responses.at(0)), ElementsAre());
}

TEST(Chain, TakesAnImmediateResponseThroughTheOthers) {
  std::vector<std::string> notes;
  Handlers denier("B");
  denier.process<Phase::request_headers>([](auto&, auto&, auto&, auto& r) {
    r.respond(form_immediate_response(403, {{"x-a", "denied"}}, "no"));
  });
  denier.process<Phase::response_headers>([](auto&, auto&, auto&, auto&) { FAIL(); });
  TestChain test({noting("A", notes), std::move(denier), noting("C", notes)});
  const auto result = AsEnvoyExtProc(exchange()).process(*test.chain);
  EXPECT_THAT(notes, ElementsAre("A request [0]", "C response [denied]", "A response [denied][C]"));
  ASSERT_EQ(result.responses.size(), 1U);
  const ImmediateResponse* response = result.immediate_response();
  ASSERT_NE(response, nullptr);
  EXPECT_EQ(response->status, 403);
  EXPECT_EQ(response->body, "no");
  EXPECT_EQ(envoy_set_headers_to_dict(result.responses[0]).at("x-ext-procs-applied"), "A,C,B");
  EXPECT_EQ(envoy_set_headers_to_dict(result.responses[0]).at("x-a"), "denied,C,A");
}

TEST(Chain, PassesBodiesOn) {
  const auto append = [](const std::string& name) {
    Handlers handlers(name);
    handlers.process<Phase::request_body>([name](auto& body, auto&, auto&, auto& r) {
      r.replace_body(std::string(body.body()) + name);
    });
    return handlers;
  };
  Handlers looks("L");
  looks.process<Phase::request_body>([](auto&, auto&, auto&, auto&) {});
  TestChain test({append("A"), std::move(looks), append("B")});
  Phases phases{.request_headers = envoy_headers({{":path", "/"}}),
                .request_body = envoy_body("0")};
  const auto result = AsEnvoyExtProc(phases).process(*test.chain);
  EXPECT_EQ(result.find(Phase::request_body)->body, "0AB");
}

TEST(Chain, ReplacesAndGivesTheNewBodyToThoseBehind) {
  Handlers a("A"), b("B");
  a.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& r) { r.continue_and_replace("new"); });
  b.process<Phase::request_headers>([](auto& headers, auto&, auto&, auto&) {
    EXPECT_FALSE(headers.end_of_stream());
    EXPECT_EQ(headers.get_header("content-length"), std::nullopt);
  });
  b.process<Phase::request_body>([](auto& body, auto&, auto&, auto& r) {
    EXPECT_TRUE(body.end_of_stream());
    r.replace_body(std::string(body.body()) + "er");
  });
  TestChain test({std::move(a), std::move(b)});
  Phases phases{.request_headers = envoy_headers({{":path", "/"}, {"content-length", "3"}}),
                .request_body = envoy_body("old")};
  const auto result = AsEnvoyExtProc(phases).process(*test.chain);
  ASSERT_GE(result.responses.size(), 1U);
  EXPECT_TRUE(result.responses[0].continue_and_replace);
  EXPECT_EQ(result.responses[0].body, "newer");
}

TEST(Chain, EndsTheStreamForAllWhenOneFails) {
  std::vector<std::string> notes;
  Handlers failing("F");
  failing.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto&) { throw std::runtime_error("broken"); });
  TestChain test({std::move(failing), noting("A", notes)});
  const auto result = AsEnvoyExtProc(exchange()).process(*test.chain);
  EXPECT_EQ(result.status, GrpcStatus::unknown);
  EXPECT_THAT(notes, ElementsAre());
  EXPECT_THAT(result.log, ElementsAre(::testing::HasSubstr("F: broken")));
}

TEST(Chain, RefusesMoreChangesThanEnvoyAccepts) {
  const auto many = [](const std::string& name) {
    Handlers handlers(name);
    handlers.process<Phase::request_headers>([name](auto&, auto&, auto&, auto& r) {
      for (int i = 0; i < 60; ++i) r.set_header("x-" + name + std::to_string(i), "1");
    });
    return handlers;
  };
  TestChain test({many("a"), many("b")});
  const auto result = AsEnvoyExtProc(exchange()).process(*test.chain);
  EXPECT_EQ(result.status, GrpcStatus::unknown);
  // On a busy machine it also took long.
  EXPECT_THAT(result.log, ::testing::Contains(::testing::HasSubstr("120 headers")));
}

TEST(Chain, HasAStateForEachProcessor) {
  const auto counting = [](const std::string& name) {
    Handlers handlers(name);
    handlers.process<Phase::request_headers>(
        [](auto&, auto&, auto& request, auto&) { ++request.template state<int>(); });
    handlers.process<Phase::response_headers>([name](auto&, auto&, auto& request, auto& r) {
      r.set_header("x-" + name, std::to_string(++request.template state<int>()));
    });
    return handlers;
  };
  TestChain test({counting("a"), counting("b")});
  const auto result = AsEnvoyExtProc(exchange()).process(*test.chain);
  const auto set = envoy_set_headers_to_dict(result.responses.at(1));
  EXPECT_EQ(set.at("x-a"), "2");
  EXPECT_EQ(set.at("x-b"), "2");
}

TEST(Chain, RefusesWhatIsNoChain) {
  std::vector<std::string> notes;
  Handlers a = noting("A", notes);
  EXPECT_THROW(Chain(std::vector<Service>{}), Error);
  EXPECT_THROW(Chain({Service(a), Service(a)}), Error);
  Chain chain({Service(a)});
  EXPECT_THROW(Chain({Service(chain)}), Error);
}

Task<> pause(Context& context) {
  boost::asio::steady_timer timer(executor(context), std::chrono::milliseconds(1));
  co_await timer.async_wait(boost::asio::deferred);
}

/// Waits before it answers, and reads a body as a whole.
class Waits : public AsyncProcessor {
 public:
  explicit Waits(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }

  Task<> process_request_headers(const HttpHeaders& headers, Context& context, Request&,
                                 HeadersResponse& response) override {
    const std::string before = seen(headers, "x-a");
    co_await pause(context);
    EXPECT_EQ(seen(headers, "x-a"), before);
    response.append_header("x-a", name_);
  }
  Task<> stream_request_body(BodyStream& body, Context& context, Request&) override {
    while (auto chunk = co_await body.read()) {
      co_await pause(context);
      body.write(std::string(chunk->body()) + name_);
    }
    body.write("!");
  }

 private:
  std::string name_;
};

TEST(Chain, WaitsForProcessorsThatWait) {
  std::vector<std::string> notes;
  Handlers plain = noting("B", notes);
  plain.process<Phase::request_body>([](auto& body, auto&, auto&, auto& r) {
    r.replace_body("<" + std::string(body.body()) + ">");
  });
  Chain chain({Service::make<Waits>("A"), Service(plain), Service::make<Waits>("C")});
  Phases phases = exchange();
  phases.request_body = envoy_body({std::string("1"), std::string("2"), std::string("3")});
  const auto result = AsEnvoyExtProc(phases).process(chain);
  ASSERT_EQ(result.responses.size(), 5U);
  EXPECT_THAT(notes, ElementsAre("B request [0][A]", "B response [0]"));
  EXPECT_EQ(result.responses[0].header_mutation.size(), 3U);
  std::string body;
  for (int i = 1; i <= 3; ++i) body += result.responses[static_cast<std::size_t>(i)].body;
  // Each end of a body is marked by the two that read it as a whole.
  EXPECT_EQ(body, "<1A>C<2A>C<3A!>C!");
}

TEST(Chain, AnswersABodyWithTheWholeOfItsProcessors) {
  Chain chain({Service::make<Waits>("A"), Service::make<Waits>("B")});
  Phases phases{.request_headers = envoy_headers({{":path", "/"}}),
                .request_body = envoy_body("0")};
  const auto result = AsEnvoyExtProc(phases).process(chain);
  EXPECT_EQ(result.find(Phase::request_body)->body, "0A!B!");
}

TEST(Chain, StopsAtAnImmediateResponseWithinABody) {
  class Refuses : public AsyncProcessor {
   public:
    Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
      co_await body.read();
      throw StopRequestProcessing(form_immediate_response(413, {}, "too much"));
    }
    std::string name() const override { return "R"; }
  };
  std::vector<std::string> notes;
  Handlers other = noting("B", notes);
  Chain chain({Service::make<Waits>("A"), Service::make<Refuses>(), Service(other)});
  Phases phases = exchange();
  phases.request_body = envoy_body("0");
  const auto result = AsEnvoyExtProc(phases).process(chain);
  const ImmediateResponse* response = result.immediate_response();
  ASSERT_NE(response, nullptr);
  EXPECT_EQ(response->status, 413);
  EXPECT_THAT(notes, ElementsAre("B request [0][A]", "B response "));
  EXPECT_EQ(envoy_set_headers_to_dict(result.responses.back()).at("x-a"), "B");
}

}  // namespace
}  // namespace extproc
