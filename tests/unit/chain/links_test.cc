// What the processors of a chain are to each other while some of them wait.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <utility>
#include <vector>

#include "extproc/async.h"
#include "extproc/chain.h"
#include "extproc/handlers.h"
#include "extproc/struct.h"
#include "stream/async_fixture.h"
#include "testing/request_writer.h"

namespace extproc::chain {
namespace {

using stream::AsyncFixture;
using stream::Gate;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using enum Phase;
using namespace std::chrono_literals;

constexpr ProtocolConfiguration kStreamed{BodySendMode::streamed, BodySendMode::streamed, false};
constexpr ProtocolConfiguration kFullDuplex{BodySendMode::full_duplex_streamed,
                                            BodySendMode::full_duplex_streamed, false};

/// Sets a header, but for that waits at its gate.
class Waits : public AsyncProcessor {
 public:
  Waits(std::string name, Gate& gate, std::optional<ImmediateResponse> fallback = {})
      : name_(std::move(name)), gate_(gate), fallback_(std::move(fallback)) {}
  std::string name() const override { return name_; }
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse& response) override {
    if (fallback_) {
      response.fall_back_after(50ms,
                               fallback_->status == 0 ? std::nullopt : std::optional(*fallback_));
    }
    co_await gate_.passed();
    cancelled = context.cancelled();
    response.set_header("x-" + name_, "1");
  }
  bool cancelled = false;

 private:
  std::string name_;
  Gate& gate_;
  std::optional<ImmediateResponse> fallback_;
};

const ImmediateResponse kContinue{.status = 0};

Handlers sets(const std::string& name) {
  Handlers handlers(name);
  handlers.process<request_headers>(
      [name](auto&, auto&, auto&, auto& answer) { answer.set_header("x-" + name, "1"); });
  return handlers;
}

// As a filter each: the others' answers count.
TEST(ChainLinks, TheFallbackOfOneIsItsOwn) {
  Gate gate;
  Handlers before = sets("a"), behind = sets("c");
  auto waits = std::make_shared<Waits>("b", gate, kContinue);
  Chain chain({Service(before), Service(waits), Service(behind)});
  AsyncFixture f{Service(chain)};
  f.settings.early_end = false;
  f.headers(request_headers);
  f.pass(49ms);
  EXPECT_THAT(f.sent, SizeIs(0));
  f.pass(1ms);
  EXPECT_THAT(f.sent, ElementsAre("request_headers set x-a=1 set x-c=1"));
  EXPECT_EQ(f.counters.fallbacks.value(), 1U);
  gate.open();
  f.run();
  EXPECT_TRUE(waits->cancelled);
  EXPECT_THAT(f.sent, SizeIs(1));
  // The next message finds all three.
  f.headers(response_headers);
  EXPECT_THAT(f.sent, SizeIs(2));
  EXPECT_THAT(f.log,
              ElementsAre(HasSubstr("b: request_headers for request unknown: answered_too_late")));
}

// It reads the same as before, and the others see what has come as soon as it has returned.
TEST(ChainLinks, WhatALateOneReadsStays) {
  class ReadsLate : public AsyncProcessor {
   public:
    ReadsLate(Gate& gate, std::string& read) : gate_(gate), read_(read) {}
    std::string name() const override { return "l"; }
    Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                   HeadersResponse& response) override {
      response.fall_back_after(50ms);
      const auto value = context.attribute("request.path");
      co_await gate_.passed();
      read_ = value ? std::string(value->string().value_or("?")) : "none";
    }

   private:
    Gate& gate_;
    std::string& read_;
  };
  Gate gate;
  std::string read, seen;
  Handlers other("o");
  other.process<response_trailers>([&seen](auto&, auto& context, auto&, auto&) {
    for (const auto& [filter, attributes] : context.attributes()) seen += std::string(filter) + " ";
  });
  Chain chain({Service::make<ReadsLate>(gate, read), Service(other)});
  AsyncFixture f{Service(chain)};
  f.settings.early_end = false;
  const auto with_attributes = [](Phase phase, std::string_view filter, std::string_view value) {
    std::string message = testing::write_headers(phase, {}, false, {});
    Struct attributes;
    attributes.set("request.path", value);
    protozero::pbf_writer writer(message);
    protozero::pbf_writer entry(writer, 9);
    entry.add_string(1, std::string(filter));
    entry.add_message(2, std::string(attributes.bytes()));
    entry.commit();
    return message;
  };
  f.send(with_attributes(request_headers, "first", "/path"));
  f.pass(50ms);
  f.send(with_attributes(response_headers, "second", std::string(1000, 'x')));
  gate.open();
  f.run();
  EXPECT_EQ(read, "/path");
  f.trailers(response_trailers);
  EXPECT_EQ(seen, "first second ");
}

TEST(ChainLinks, AFallbackThatAnswersEndsItForAll) {
  Gate gate;
  Handlers before = sets("a"), behind("c");
  behind.process<request_headers>([](auto&, auto&, auto&, auto&) { ADD_FAILURE(); });
  behind.process<response_headers>(
      [](auto&, auto&, auto&, auto& answer) { answer.set_header("x-c", "1"); });
  Chain chain({Service(before),
               Service::make<Waits>("b", gate, ImmediateResponse{.status = 503, .body = "later"}),
               Service(behind)});
  AsyncFixture f{Service(chain)};
  f.headers(request_headers);
  f.pass(50ms);
  EXPECT_THAT(f.sent, ElementsAre("immediate 503 set x-c=1 \"later\""));
  EXPECT_TRUE(f.ended);
  gate.open();
  f.run();
  EXPECT_EQ(f.sent_after_end, 0);
  EXPECT_TRUE(f.close());
}

// Envoy's time runs from when it sent the message, whoever of them has it; it gives more once.
TEST(ChainLinks, ShareTheTimeThatEnvoyGives) {
  Gate first, second;
  Chain chain({Service::make<Waits>("a", first), Service::make<Waits>("b", second)});
  AsyncFixture f{Service(chain)};
  f.settings.early_end = false;
  f.settings.filter.max_message_timeout = 1s;
  f.headers(request_headers);
  f.pass(99ms);
  EXPECT_THAT(f.sent, SizeIs(0));
  f.pass(1ms);
  EXPECT_THAT(f.sent, ElementsAre("more-time 1000ms"));
  first.open();
  f.run();
  f.pass(500ms);
  EXPECT_THAT(f.sent, SizeIs(1));
  second.open();
  f.run();
  ASSERT_THAT(f.sent, SizeIs(2));
  EXPECT_EQ(f.sent[1], "request_headers set x-a=1 set x-b=1");
  EXPECT_EQ(f.counters.time_extensions.value(), 1U);
}

/// Writes on what it reads, each chunk behind its name; reads nothing before its gate is open.
class Relays : public AsyncProcessor {
 public:
  Relays(std::string name, Gate& gate) : name_(std::move(name)), gate_(gate) {}
  std::string name() const override { return name_; }
  Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
    co_await gate_.passed();
    bool more = true;
    while (more) {
      const auto chunk = co_await body.read();
      more = chunk.has_value();
      if (more) body.write(name_ + std::string(chunk->body()));
    }
    body.write(name_ + ".");
  }

 private:
  std::string name_;
  Gate& gate_;
};

// Of what the second has not read, no more than a bound is kept.
TEST(ChainLinks, ASlowOneHoldsThePeerUp) {
  Gate open, slow;
  open.open();
  Chain chain({Service::make<Relays>("a", open), Service::make<Relays>("b", slow)});
  AsyncFixture f{Service(chain)};
  f.config = kFullDuplex;
  f.settings.unread_body_bytes = 1000;
  f.headers(request_headers);
  for (int i = 0; i < 100; ++i) f.body(request_body, std::string(100, 'x'));
  EXPECT_TRUE(f.paused);
  EXPECT_GE(f.waiting(), 85U);
  EXPECT_LE(f.kept_bytes, 1500);
  slow.open();
  f.run();
  EXPECT_FALSE(f.paused);
  EXPECT_EQ(f.waiting(), 0U);
  EXPECT_THAT(f.sent, SizeIs(1 + 100));
  f.body(request_body, "", true);
  EXPECT_EQ(f.sent.back(), "request_body streamed=\"\",end");
}

// What the first writes at the end of its input is the second's, before that one's own end.
TEST(ChainLinks, EndOneAfterTheOtherWhereThePeerSendsNoMore) {
  Gate open;
  open.open();
  Chain chain({Service::make<Relays>("a", open), Service::make<Relays>("b", open)});
  AsyncFixture f{Service(chain)};
  f.config = kFullDuplex;
  f.headers(request_headers);
  f.body(request_body, "1");
  f.half_close();
  EXPECT_THAT(f.sent, ElementsAre("request_headers", "request_body streamed=\"ba1\"",
                                  "request_body streamed=\"ba.\"", "request_body streamed=\"b.\""));
  EXPECT_TRUE(f.ended);
  EXPECT_EQ(f.status, GrpcStatus::ok);
}

// While the first still works on its body, one behind it answers at once.
TEST(ChainLinks, WhatTheOthersWriteBehindAnAnswerIsDropped) {
  class WritesLater : public AsyncProcessor {
   public:
    explicit WritesLater(Gate& gate) : gate_(gate) {}
    std::string name() const override { return "w"; }
    Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
      const auto chunk = co_await body.read();
      body.write(chunk->body());
      co_await gate_.passed();
      body.write("too late");
    }
    Task<> process_response_headers(const HttpHeaders&, Context&, Request&,
                                    HeadersResponse& response) override {
      response.set_header("x-w", "1");
      co_return;
    }

   private:
    Gate& gate_;
  };
  Handlers refuses("r");
  refuses.process<request_body>(
      [](auto&, auto&, auto&, auto& answer) { answer.respond({.status = 413, .body = "no"}); });
  for (const auto& config : {kStreamed, kFullDuplex}) {
    Gate gate;
    Chain chain({Service::make<WritesLater>(gate), Service(refuses)});
    AsyncFixture f{Service(chain)};
    f.config = config;
    f.headers(request_headers);
    f.body(request_body, "1");
    if (config == kStreamed) gate.open();
    f.run();
    EXPECT_THAT(f.sent, ElementsAre("request_headers", "immediate 413 set x-w=1 \"no\""));
    EXPECT_TRUE(f.ended);
    gate.open();
    f.run();
    EXPECT_EQ(f.sent_after_end, 0);
    EXPECT_TRUE(f.close());
  }
}

TEST(ChainLinks, AreAllToldThatTheStreamIsOver) {
  class Sleeps : public AsyncProcessor {
   public:
    Sleeps(std::string name, int& cancelled) : name_(std::move(name)), cancelled_(cancelled) {}
    std::string name() const override { return name_; }
    Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
      const auto chunk = co_await body.read();
      body.write(chunk->body());
      try {
        const auto next = co_await body.read();
        EXPECT_FALSE(next.has_value());
      } catch (const boost::system::system_error&) {
        ++cancelled_;
        throw;
      }
    }

   private:
    std::string name_;
    int& cancelled_;
  };
  int cancelled = 0;
  Chain chain({Service::make<Sleeps>("a", cancelled), Service::make<Sleeps>("b", cancelled),
               Service::make<Sleeps>("c", cancelled)});
  AsyncFixture f{Service(chain)};
  f.config = kFullDuplex;
  f.headers(request_headers);
  f.body(request_body, "1");
  EXPECT_TRUE(f.close());
  EXPECT_EQ(cancelled, 3);
}

}  // namespace
}  // namespace extproc::chain
