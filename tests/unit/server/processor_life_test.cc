// What processors do of their own: before the port is open, until health tells of them, and behind
// the last stream.

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "extproc/async.h"
#include "extproc/chain.h"
#include "extproc/error.h"
#include "extproc/handlers.h"
#include "server/server_fixture.h"

namespace extproc::server::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What happened, from all threads.
class Notes {
 public:
  void add(std::string note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

template <bool blocks>
class Lively final : public Processor {
 public:
  explicit Lively(Notes& notes) : notes_(notes) {}
  std::string name() const override { return "class"; }
  bool blocking() const override { return blocks; }
  void process_request_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {
    notes_.add("class handles");
  }
  void on_complete(const Completed&, Context&, Request&) override { notes_.add("class is told"); }
  void start() override { notes_.add("class starts"); }
  void stop() override { notes_.add("class stops"); }

 private:
  Notes& notes_;
};

class LivelyAsync final : public AsyncProcessor {
 public:
  explicit LivelyAsync(Notes& notes) : notes_(notes) {}
  std::string name() const override { return "class"; }
  Task<> process_request_headers(const HttpHeaders&, Context&, Request&,
                                 HeadersResponse&) override {
    notes_.add("class handles");
    co_return;
  }
  void on_complete(const Completed&, Context&, Request&) override { notes_.add("class is told"); }
  void start() override { notes_.add("class starts"); }
  void stop() override { notes_.add("class stops"); }

 private:
  Notes& notes_;
};

std::shared_ptr<Handlers> lively(Notes& notes, const std::string& name) {
  auto handlers = std::make_shared<Handlers>(name);
  handlers->process<Phase::request_headers>(
      [&notes, name](auto&, auto&, auto&, auto&) { notes.add(name + " handles"); });
  handlers->on_complete([&notes, name](auto&, auto&, auto&) { notes.add(name + " is told"); });
  handlers->on_start([&notes, name] { notes.add(name + " starts"); });
  handlers->on_stop([&notes, name] { notes.add(name + " stops"); });
  return handlers;
}

class ProcessorLifeTest : public ServerTest {
 protected:
  ProcessorLifeTest() { settings.drain_delay = 0ms; }
  ~ProcessorLifeTest() override { server_.reset(); }

  /// One request, whose end the server knows of, and the server's end.
  void serve_one(const Service& service) {
    Server& server = start(service);
    SocketClient client = connect();
    const auto id = client.call(kProcess, kRequestHeaders);
    client.peer.end(id);
    ASSERT_TRUE(client.talk_until([&] { return !client.stream(id).grpc_status().empty(); }));
    server.shutdown();
    EXPECT_TRUE(client.talk_until_closed());
    server.join();
  }

  std::string health() {
    SocketClient client = connect();
    return client.stream(client.call(kCheck, "")).messages().at(0);
  }

  Notes notes;
};

TEST_F(ProcessorLifeTest, BeginsBeforeTheFirstStreamAndEndsBehindTheLast) {
  for (const Service& service :
       {Service::make<Lively<false>>(notes), Service::make<Lively<true>>(notes),
        Service::make<LivelyAsync>(notes), Service(lively(notes, "class"))}) {
    serve_one(service);
  }
  std::vector<std::string> expected;
  for (int i = 0; i < 4; ++i) {
    for (const char* each : {"class starts", "class handles", "class is told", "class stops"})
      expected.emplace_back(each);
  }
  EXPECT_THAT(notes.all(), ::testing::ElementsAreArray(expected));
}

TEST_F(ProcessorLifeTest, OfAChainBeginsInOrderAndEndsInReverse) {
  Chain chain({lively(notes, "a"), lively(notes, "b")});
  serve_one(Service(chain));
  EXPECT_THAT(notes.all(), ElementsAre("a starts", "b starts", "a handles", "b handles",
                                       "a is told", "b is told", "b stops", "a stops"));
}

TEST_F(ProcessorLifeTest, OneThatCannotStartKeepsTheServerFromServing) {
  auto fails = lively(notes, "b");
  int tries = 0;
  fails->on_start([&] {
    if (++tries == 1) throw std::runtime_error("the database is away");
  });
  Chain chain({lively(notes, "a"), fails});
  Server server(chain, settings);
  try {
    server.start();
    FAIL() << "it started";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "b cannot start: the database is away");
  }
  EXPECT_THAT(notes.all(), ElementsAre("a starts", "a stops"));
  EXPECT_THROW(server.port(), Error);
  // Nothing of it is left.
  server.start();
  server.shutdown(0ms);
  server.join();
  EXPECT_THAT(notes.all(), ElementsAre("a starts", "a stops", "a starts", "b stops", "a stops"));
}

TEST_F(ProcessorLifeTest, OneThatThrowsSomethingElseIsTold) {
  auto fails = lively(notes, "a");
  fails->on_start([] { throw 7; });
  Server server(fails, settings);
  try {
    server.start();
    FAIL() << "it started";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "a cannot start: it threw something that is not a std::exception");
  }
}

TEST_F(ProcessorLifeTest, EndsWhereTheAddressCannotBeHad) {
  start();
  Settings taken = settings;
  taken.listen = server_->address();
  Server second(lively(notes, "a"), taken);
  EXPECT_THROW(second.start(), Error);
  EXPECT_THAT(notes.all(), ElementsAre("a starts", "a stops"));
}

TEST_F(ProcessorLifeTest, OneThatIsNeverServedNeverStarts) {
  { const Server server(lively(notes, "a"), settings); }
  EXPECT_THAT(notes.all(), IsEmpty());
}

TEST_F(ProcessorLifeTest, AnEndThatFailsIsLogged) {
  auto fails = lively(notes, "b");
  fails->on_stop([] { throw std::runtime_error("no disk"); });
  Chain chain({lively(notes, "a"), fails});
  serve_one(Service(chain));
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr("ERROR"), HasSubstr("b failed in stop(): no disk"))));
  EXPECT_THAT(notes.all(), Contains("a stops"));
}

TEST_F(ProcessorLifeTest, HealthIsNotServingUntilAllAreReady) {
  std::atomic<bool> ready{false};
  std::atomic<int> asked{0};
  auto late = lively(notes, "b");
  late->ready_when([&] {
    ++asked;
    return ready.load();
  });
  Chain chain({lively(notes, "a"), late});
  start(Service(chain));
  EXPECT_EQ(health(), kNotServing);
  SocketClient client = connect();
  const auto watch = client.call(kWatch, "");
  EXPECT_THAT(client.stream(watch).messages(), ElementsAre(kNotServing));
  // Requests are served all the same.
  client.call(kProcess, kRequestHeaders);
  EXPECT_THAT(notes.all(), Contains("b handles"));
  ready = true;
  ASSERT_TRUE(client.talk_until([&] { return client.stream(watch).messages().size() > 1; }));
  EXPECT_THAT(client.stream(watch).messages(), ElementsAre(kNotServing, kServing));
  EXPECT_EQ(health(), kServing);
  // A yes is for good.
  const int so_far = asked;
  ready = false;
  EXPECT_EQ(health(), kServing);
  EXPECT_EQ(asked, so_far);
  EXPECT_THAT(log(), AllOf(Contains(HasSubstr("b is not ready yet")),
                           Contains(HasSubstr("health is SERVING"))));
}

TEST_F(ProcessorLifeTest, AQuestionThatFailsCountsAsNoAndIsLoggedOnce) {
  std::atomic<int> asked{0};
  auto fails = lively(notes, "a");
  fails->ready_when([&]() -> bool {
    if (++asked < 3) throw std::runtime_error("no answer");
    return true;
  });
  start(fails);
  EXPECT_TRUE(eventually([&] { return health() == kServing; }));
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(std::ranges::count_if(
                log(), [](const auto& line) { return line.find("no answer") != line.npos; }),
            1);
}

TEST_F(ProcessorLifeTest, AServerThatEndsBeforeItIsReadyDoesNotWait) {
  auto never = lively(notes, "a");
  never->ready_when([] { return false; });
  Server& server = start(never);
  server.shutdown();
  server.join();
  EXPECT_THAT(notes.all(), ElementsAre("a starts", "a stops"));
}

TEST_F(ProcessorLifeTest, BeginsOnTheThreadThatStartsTheServer) {
  std::thread::id thread;
  auto one = lively(notes, "a");
  one->on_start([&] { thread = std::this_thread::get_id(); });
  start(one);
  EXPECT_EQ(thread, std::this_thread::get_id());
}

TEST_F(ProcessorLifeTest, WhatItNeedsOfItsFilterCountsInTheServer) {
  for (const bool needs : {false, true}) {
    auto changes = std::make_shared<Handlers>("a");
    changes->process<Phase::request_headers>(
        [](auto&, auto&, auto&, auto& answer) { answer.set_header("x-envoy-a", "1"); });
    changes->needs({.allow_envoy = needs});
    start(changes);
    SocketClient client = connect();
    client.call(kProcess, kRequestHeaders);
    EXPECT_EQ(server_->stats().misused_answers, needs ? 0U : 1U);
  }
}

/// With what the filter is given in place of what they say: it has one of the two modes, or
/// another.
TEST_F(ProcessorLifeTest, AChainWhoseProcessorsNeedABodyInTwoModesIsServed) {
  const auto one_of = [](const char* name, const Needs& needs) {
    auto handlers = std::make_shared<Handlers>(name);
    handlers->process<Phase::request_headers>(
        [](auto&, auto&, auto&, auto& answer) { answer.set_header("x-envoy-a", "1"); });
    handlers->needs(needs);
    return Service(std::move(handlers));
  };
  std::vector<Service> services;
  services.push_back(one_of("a", {.request_body_mode = BodySendMode::streamed}));
  services.push_back(
      one_of("b", {.request_body_mode = BodySendMode::buffered, .allow_envoy = true}));
  start(Service(std::make_shared<Chain>(std::move(services))));
  SocketClient client = connect();
  EXPECT_EQ(client.stream(client.call(kProcess, kRequestHeaders)).messages().size(), 1U);
  // The rules of both count.
  EXPECT_EQ(server_->stats().misused_answers, 0U);
}

}  // namespace
}  // namespace extproc::server::testing
