// Processors behind a host that is not ours: one with header maps, and no protobuf.
#include "extproc/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/async.h"
#include "extproc/chain.h"
#include "extproc/error.h"
#include "extproc/handlers.h"
#include "map_host.h"
#include "stream/async_fixture.h"

namespace extproc {
namespace {

using example::HttpMessage;
using example::MapHost;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const HttpMessage kRequest{{{":method", "POST"}, {":path", "/"}, {"x-a", "0"}}, "body"};

/// Does nothing.
Handlers other() {
  Handlers handlers("O");
  handlers.process<Phase::request_trailers>([](auto&, auto&, auto&, auto&) {});
  return handlers;
}

HttpMessage mirror(const HttpMessage& request) {
  HttpMessage response = request;
  response.headers.erase(":method");
  response.headers.erase(":path");
  return response;
}

Handlers appends(const std::string& name) {
  Handlers handlers(name);
  handlers.process<Phase::request_headers>(
      [name](auto&, auto&, auto&, auto& answer) { answer.append_header("x-a", name); });
  handlers.process<Phase::request_body>([name](auto& body, auto&, auto&, auto& answer) {
    answer.replace_body(std::string(body.body()) + name);
  });
  handlers.process<Phase::response_headers>(
      [name](auto&, auto&, auto&, auto& answer) { answer.set_header("x-last", name); });
  return handlers;
}

TEST(MapHost, HasOneProcessorOrAChainWorkOnItsMessages) {
  Handlers a = appends("A"), b = appends("B");
  const auto alone = MapHost(Service(a)).exchange(kRequest, mirror);
  EXPECT_THAT(alone.headers, UnorderedElementsAre(Pair("x-a", "0,A"), Pair("x-last", "A")));
  EXPECT_EQ(alone.body, "bodyA");
  Chain chain({Service(a), Service(b)});
  const auto both = MapHost(Service(chain)).exchange(kRequest, mirror);
  EXPECT_THAT(both.headers, UnorderedElementsAre(Pair("x-a", "0,A,B"), Pair("x-last", "A")));
  EXPECT_EQ(both.body, "bodyAB");
}

TEST(MapHost, GetsAnAnswerInPlaceOfTheUpstreams) {
  Handlers denies("D"), fails("F"), replaces("R");
  denies.process<Phase::request_body>([](auto&, auto&, auto&, auto& answer) {
    answer.respond(form_immediate_response(403, {{"x-why", "no"}}, "denied"));
  });
  fails.process<Phase::response_headers>(
      [](auto&, auto&, auto&, auto&) { throw std::runtime_error("broken"); });
  replaces.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& answer) { answer.continue_and_replace("new"); });
  const auto unreached = [](const HttpMessage&) -> HttpMessage {
    ADD_FAILURE();
    return {};
  };
  const auto denied = MapHost(Service(denies)).exchange(kRequest, unreached);
  EXPECT_THAT(denied.headers, UnorderedElementsAre(Pair(":status", "403"), Pair("x-why", "no")));
  EXPECT_EQ(denied.body, "denied");
  const auto failed = MapHost(Service(fails)).exchange(kRequest, mirror);
  EXPECT_THAT(failed.headers, ElementsAre(Pair(":status", "500")));
  EXPECT_EQ(MapHost(Service(replaces)).exchange(kRequest, mirror).body, "new");
}

// Nobody behind it refuses what Envoy would, so that it does not get it.
TEST(MapHost, IsSparedWhatEnvoyWouldRefuse) {
  const auto breaks = [](auto&, auto&, auto&, auto& answer) {
    answer.set_header("x-envoy-a", "1");
    answer.set_header("x-bad", "a\r\nb");
    answer.remove_header(":path");
    answer.append_header(":path", "/other");
    answer.set_header("host", "other");
    answer.set_header("x-good", "1");
  };
  Handlers one("B"), nothing = other(), denies("D");
  one.process<Phase::request_headers>(breaks);
  denies.process<Phase::request_headers>([](auto&, auto&, auto&, auto& answer) {
    answer.respond({.status = 999, .headers = {{"x-envoy-a", "1"}, {"x-good", "1"}}});
  });
  Chain chain({Service(one), Service(nothing)});
  for (const Service& service : {Service(one), Service(chain)}) {
    const auto response = MapHost(service).exchange(kRequest, [](const HttpMessage& request) {
      EXPECT_THAT(request.headers, UnorderedElementsAre(Pair(":method", "POST"), Pair(":path", "/"),
                                                        Pair("x-a", "0"), Pair("x-good", "1")));
      return HttpMessage{{{":status", "200"}}, ""};
    });
    EXPECT_THAT(response.headers, ElementsAre(Pair(":status", "200")));
  }
  const auto denied = MapHost(Service(denies)).exchange(kRequest, mirror);
  EXPECT_THAT(denied.headers, UnorderedElementsAre(Pair(":status", "500"), Pair("x-good", "1")));
}

TEST(Host, NeedsALoopForHandlersThatWait) {
  class Waits : public AsyncProcessor {
   public:
    std::string name() const override { return "W"; }
    Task<> process_request_headers(const HttpHeaders&, Context&, Request&,
                                   HeadersResponse&) override {
      co_return;
    }
  };
  EXPECT_THROW(host::Host(Service::make<Waits>()), Error);
}

// What is kept for handlers that have not taken it, with what it takes to keep it; that nothing is
// left at the end, each of the stream's tests sees.
TEST(Host, IsToldWhatIsKept) {
  class Reads : public AsyncProcessor {
   public:
    explicit Reads(stream::Gate& gate) : gate_(gate) {}
    Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
      co_await gate_.passed();
      bool more = true;
      while (more) {
        const auto chunk = co_await body.read();
        more = chunk.has_value();
      }
    }

   private:
    stream::Gate& gate_;
  };
  for (const bool in_a_chain : {false, true}) {
    stream::Gate closed;
    Handlers nothing = other();
    const Service reads = Service::make<Reads>(closed);
    Chain chain({reads, Service(nothing)});
    stream::AsyncFixture f(in_a_chain ? Service(chain) : reads);
    f.config = ProtocolConfiguration{BodySendMode::streamed, BodySendMode::none, false};
    f.headers(Phase::request_headers);
    EXPECT_EQ(f.kept_bytes, 0);
    const auto expect_kept = [&](int bytes) {
      EXPECT_GE(f.kept_bytes, bytes);
      EXPECT_LE(f.kept_bytes, bytes + 1'000);
    };
    f.body(Phase::request_body, std::string(10'000, 'a'));
    expect_kept(10'000);
    f.body(Phase::request_body, std::string(5'000, 'b'));
    expect_kept(15'000);
    closed.open();
    f.run();
    // The last one that was read is the handler's until it reads again.
    expect_kept(5'000);
    f.body(Phase::request_body, "c", true);
    EXPECT_EQ(f.kept_bytes, 0);
    EXPECT_GE(f.most_kept, 15'000);
  }
}

TEST(Host, IsToldHowItEnded) {
  Handlers denies("D"), fails("F"), passes("P");
  denies.process<Phase::request_headers>([](auto&, auto&, auto&, auto& answer) {
    stream::fake_now += std::chrono::milliseconds(3);
    answer.respond(form_immediate_response(403, {}, ""));
  });
  fails.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto&) { throw std::runtime_error("broken"); });
  passes.process<Phase::request_headers>([](auto&, auto&, auto&, auto&) {});
  for (const bool in_a_chain : {false, true}) {
    const auto end_of = [&](Handlers& handlers) {
      Handlers nothing = other();
      Chain chain({Service(nothing), Service(handlers)});
      stream::AsyncFixture f(in_a_chain ? Service(chain) : Service(handlers));
      f.settings.early_end = false;
      f.headers(Phase::request_headers);
      f.close();
      EXPECT_THAT(f.completions, SizeIs(1));
      return f.completions.at(0);
    };
    const host::Completed denied = end_of(denies);
    EXPECT_EQ(denied.status, GrpcStatus::ok);
    EXPECT_TRUE(denied.replied);
    EXPECT_EQ(denied.in_handlers, std::chrono::milliseconds(3));
    EXPECT_EQ(denied.open, std::chrono::milliseconds(3));
    const host::Completed failed = end_of(fails);
    EXPECT_EQ(failed.status, GrpcStatus::unknown);
    EXPECT_FALSE(failed.replied);
    const host::Completed passed = end_of(passes);
    EXPECT_EQ(passed.status, GrpcStatus::cancelled);
    EXPECT_TRUE(passed.cancelled);
    EXPECT_FALSE(passed.replied);
  }
}

}  // namespace
}  // namespace extproc
