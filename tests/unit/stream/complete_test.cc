// What a processor is told of the end of its streams: once, however they ended, behind all of its
// handlers.

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async_fixture.h"
#include "blocking_jobs.h"
#include "extproc/chain.h"

namespace extproc::stream {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::chrono_literals;
using enum Phase;

/// What was told, in order.
using Notes = std::vector<std::string>;

std::string told_as(const Completed& how) {
  return std::string(to_string(how.status)) + (how.cancelled ? " cancelled" : "") +
         (how.replied ? " replied" : "");
}

struct Seen {
  int handlers = 0;
};

/// The handler of request headers.
using Does = std::function<void(Context&, HeadersResponse&)>;

template <bool blocks>
class Told final : public Processor {
 public:
  Told(Notes& notes, Does does) : notes_(notes), does_(std::move(does)) {}
  bool blocking() const override { return blocks; }
  void process_request_headers(const HttpHeaders&, Context& context, Request& request,
                               HeadersResponse& response) override {
    ++request.state<Seen>().handlers;
    if (does_) does_(context, response);
  }
  void on_complete(const Completed& how, Context&, Request& request) override {
    notes_.push_back(told_as(how) + " after " + std::to_string(request.state<Seen>().handlers));
  }

 private:
  Notes& notes_;
  Does does_;
};

class ToldAsync final : public AsyncProcessor {
 public:
  ToldAsync(Notes& notes, Does does) : notes_(notes), does_(std::move(does)) {}
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request& request,
                                 HeadersResponse& response) override {
    co_await let_loop_run(context);
    ++request.state<Seen>().handlers;
    if (does_) does_(context, response);
  }
  void on_complete(const Completed& how, Context&, Request& request) override {
    notes_.push_back(told_as(how) + " after " + std::to_string(request.state<Seen>().handlers));
  }

 private:
  Notes& notes_;
  Does does_;
};

Service registered(Notes& notes, const Does& does) {
  auto service = handlers();
  service->process<request_headers>([does](auto&, auto& context, auto& request, auto& response) {
    ++request.template state<Seen>().handlers;
    if (does) does(context, response);
  });
  service->on_complete([&notes](const Completed& how, Context&, Request& request) {
    notes.push_back(told_as(how) + " after " + std::to_string(request.state<Seen>().handlers));
  });
  return service;
}

struct Style {
  const char* name;
  std::function<Service(Notes&, const Does&)> make;
};

const Style kStyles[] = {
    {"Class",
     [](Notes& notes, const Does& does) { return Service::make<Told<false>>(notes, does); }},
    {"Blocking",
     [](Notes& notes, const Does& does) { return Service::make<Told<true>>(notes, does); }},
    {"Async", [](Notes& notes, const Does& does) { return Service::make<ToldAsync>(notes, does); }},
    {"Registered", &registered},
    {"Chain",
     [](Notes& notes, const Does& does) {
       auto other = std::make_shared<Handlers>("Other");
       other->process<response_headers>([](auto&, auto&, auto&, auto&) {});
       return Service::make<Chain>(std::vector<Service>{registered(notes, does), other});
     }},
};

class EveryStyle : public ::testing::TestWithParam<Style> {
 protected:
  AsyncFixture& stream(Does does = {}) {
    made_ = std::make_unique<AsyncFixture>(GetParam().make(notes, std::move(does)));
    made_->config = std::nullopt;  // no early end
    return *made_;
  }
  Notes notes;

 private:
  std::unique_ptr<AsyncFixture> made_;
};
INSTANTIATE_TEST_SUITE_P(Completion, EveryStyle, ::testing::ValuesIn(kStyles),
                         [](const auto& row) { return row.param.name; });

TEST_P(EveryStyle, IsToldOnceBehindItsHandlers) {
  AsyncFixture& f = stream();
  f.headers(request_headers);
  f.finish_blocking();
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_TRUE(f.close());
  EXPECT_THAT(notes, ElementsAre("CANCELLED cancelled after 1"));
}

TEST(Completion, IsToldOfEachStreamWithItsOwnState) {
  Notes notes;
  AsyncFixture f(registered(notes, {}));
  f.config = std::nullopt;
  for (int i = 0; i < 2; ++i) {
    f.headers(request_headers);
    f.restart();
  }
  EXPECT_THAT(notes, ElementsAre("CANCELLED cancelled after 1", "CANCELLED cancelled after 1"));
}

TEST_P(EveryStyle, IsToldOfAStreamWithoutMessages) {
  EXPECT_TRUE(stream().close());
  EXPECT_THAT(notes, ElementsAre("CANCELLED cancelled after 0"));
}

struct How {
  const char* name;
  Does does;
  const char* told;
};

TEST_P(EveryStyle, IsToldHowItEnded) {
  const std::vector<How> all{
      {"reply", [](Context&, HeadersResponse& answer) { answer.respond({.status = 403}); },
       "OK cancelled replied after 1"},
      {"abort",
       [](Context& context, HeadersResponse&) { context.abort(GrpcStatus::permission_denied); },
       "PERMISSION_DENIED cancelled after 1"},
      {"failure", [](Context&, HeadersResponse&) { throw std::runtime_error("no"); },
       "UNKNOWN cancelled after 1"}};
  for (const How& how : all) {
    AsyncFixture& f = stream(how.does);
    f.headers(request_headers);
    f.finish_blocking();
    EXPECT_TRUE(f.close());
    EXPECT_THAT(std::exchange(notes, {}), ElementsAre(how.told)) << how.name;
  }
}

TEST(Completion, HearsOfTimes) {
  std::vector<Completed> told;
  auto service = handlers();
  service->process<request_headers>([](auto&, auto&, auto&, auto&) { fake_now += 3ms; });
  service->on_complete([&](const Completed& how, Context&, Request&) { told.push_back(how); });
  AsyncFixture f(service);
  f.config = std::nullopt;
  f.headers(request_headers);
  fake_now += 4ms;
  EXPECT_TRUE(f.close());
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].open, 7ms);
  EXPECT_EQ(told[0].in_handlers, 3ms);
}

TEST(Completion, WaitsForAHandlerThatOutlivesItsStream) {
  Gate gate;
  Notes notes;
  auto service = handlers();
  service->process<request_headers>([&](auto&, auto&, auto&, auto&) -> Task<> {
    co_await gate.passed();
    notes.emplace_back("returned");
  });
  service->on_complete([&](const Completed&, Context&, Request&) { notes.emplace_back("told"); });
  AsyncFixture f(service);
  f.headers(request_headers);
  EXPECT_FALSE(f.close());
  EXPECT_THAT(notes, IsEmpty());
  gate.open();
  EXPECT_THAT(notes, ElementsAre("returned", "told"));
}

TEST(Completion, IsToldOfWorkThatWasTakenBack) {
  Notes notes;
  AsyncFixture f(Service::make<Told<true>>(notes, Does()));
  Busy busy(f);
  f.headers(request_headers);
  EXPECT_TRUE(f.close());
  EXPECT_THAT(notes, ElementsAre("CANCELLED cancelled after 0"));
  busy.end();
}

TEST(Completion, IsToldOfWorkThatWasRefused) {
  Notes notes;
  AsyncFixture f(Service::make<Told<true>>(notes, Does()));
  f.settings.filter.message_timeout = 0ms;
  Busy busy(f);
  f.headers(request_headers);
  busy.end();
  EXPECT_TRUE(f.close());
  EXPECT_THAT(notes, ElementsAre("RESOURCE_EXHAUSTED cancelled after 0"));
}

// Those that have ended wait for the others, so that what they share is whole.
TEST(Completion, OfAChainComesBehindTheHandlersOfAll) {
  Gate gate;
  Notes notes;
  const auto link = [&](const std::string& name, bool waits) {
    auto service = std::make_shared<Handlers>(name);
    service->process<request_headers>([&, name, waits](auto&, auto&, auto&, auto&) -> Task<> {
      if (waits) co_await gate.passed();
      notes.push_back(name + " returned");
    });
    service->on_complete([&notes, name](const Completed& how, Context& context, Request&) {
      notes.push_back(name + " " + told_as(how) + " " + std::string(context.peer()));
    });
    return service;
  };
  Chain chain({link("a", false), link("b", true), link("c", false)});
  AsyncFixture f{Service(chain)};
  f.headers(request_headers);
  EXPECT_FALSE(f.close());
  EXPECT_THAT(notes, ElementsAre("a returned"));
  gate.open();
  EXPECT_THAT(notes,
              ElementsAre("a returned", "b returned", "a CANCELLED cancelled 10.0.0.1:1",
                          "b CANCELLED cancelled 10.0.0.1:1", "c CANCELLED cancelled 10.0.0.1:1"));
}

// Each is told of its own reply, and of the stream's failure whichever of them failed.
TEST(Completion, OfAChainTellsEachHowItWas) {
  Notes notes;
  const auto link = [&](const std::string& name, const Does& does) {
    auto service = std::make_shared<Handlers>(name);
    service->process<request_headers>(
        [does](auto&, auto& context, auto&, auto& answer) { does(context, answer); });
    service->on_complete([&notes, name](const Completed& how, Context&, Request&) {
      notes.push_back(name + " " + told_as(how));
    });
    return service;
  };
  const Does nothing = [](Context&, HeadersResponse&) {};
  const Does replies = [](Context&, HeadersResponse& answer) { answer.respond({.status = 403}); };
  const Does fails = [](Context&, HeadersResponse&) { throw std::runtime_error("no"); };
  {
    Chain chain({link("a", nothing), link("b", replies)});
    AsyncFixture f{Service(chain)};
    f.headers(request_headers);
  }
  EXPECT_THAT(std::exchange(notes, {}), ElementsAre("a OK cancelled", "b OK cancelled replied"));
  {
    Chain chain({link("a", nothing), link("b", fails)});
    AsyncFixture f{Service(chain)};
    f.headers(request_headers);
  }
  EXPECT_THAT(notes, ElementsAre("a UNKNOWN cancelled", "b UNKNOWN cancelled"));
}

TEST(Completion, ThatThrowsIsAFailureInTheLog) {
  auto service = handlers_of({request_headers});
  service->on_complete(
      [](const Completed&, Context&, Request&) { throw std::runtime_error("no room"); });
  AsyncFixture f(service);
  f.headers(request_headers);
  EXPECT_TRUE(f.close());
  EXPECT_EQ(f.counters.handler_failures.value(), 1U);
  EXPECT_THAT(
      f.log, ElementsAre(AllOf(HasSubstr("ERROR Test: on_complete failed"), HasSubstr("no room"))));
}

TEST(Completion, IsRegisteredOnce) {
  auto service = handlers_of({request_headers});
  const auto told = [](const Completed&, Context&, Request&) {};
  service->on_complete(told);
  EXPECT_THROW(service->on_complete(told), Error);
}

class StaysOpen final : public Processor {
 public:
  explicit StaysOpen(bool early_end) : early_end_(early_end) {}
  std::string name() const override { return early_end_ ? "Ends" : "Stays"; }
  void process_request_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {}
  bool early_end() const override { return early_end_; }

 private:
  bool early_end_;
};

TEST(Completion, OfTheWholeRequestWhereTheProcessorAsksForNoEarlyEnd) {
  for (const bool early_end : {true, false}) {
    AsyncFixture f(Service::make<StaysOpen>(early_end));
    f.headers(request_headers);
    EXPECT_EQ(f.ended, early_end);
    // One that asks for it is enough.
    Chain chain({Service::make<StaysOpen>(early_end), handlers_of({request_headers})});
    AsyncFixture chained{Service(chain)};
    chained.headers(request_headers);
    EXPECT_EQ(chained.ended, early_end);
    auto registered = handlers_of({request_headers});
    registered->early_end(early_end);
    AsyncFixture of_functions(registered);
    of_functions.headers(request_headers);
    EXPECT_EQ(of_functions.ended, early_end);
  }
}

TEST(Completion, IsMeasuredOnlyWhereThereIsOne) {
  const auto measures = [](const Service& service) {
    host::Host host(service);
    return detail::HostAccess::settings(host).measures;
  };
  EXPECT_FALSE(measures(handlers_of({request_headers})));
  auto service = handlers_of({request_headers});
  service->on_complete([](const Completed&, Context&, Request&) {});
  EXPECT_TRUE(measures(service));
}

}  // namespace
}  // namespace extproc::stream
