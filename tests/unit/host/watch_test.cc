// What a tracer is told, and what is counted for metrics, of a processor and of a chain.
#include "exchange/watch.h"

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/sampler.h"
#include "exchange/tracer.h"
#include "extproc/chain.h"
#include "extproc/handlers.h"
#include "extproc/host.h"
#include "host/access.h"
#include "log/make_logger.h"
#include "metrics/exposition.h"
#include "metrics/stream_families.h"

namespace extproc {
namespace {

using exchange::Traced;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Notes what it is told, of which stream by the order in which they began.
class NotingTracer final : public exchange::Tracer {
 public:
  Traced at_begin = Traced::yes;
  bool at_first = true;
  std::vector<std::string> notes;

  Traced begin(const Request& stream, Context&) override {
    note(stream, "begin");
    return at_begin;
  }
  bool decide(const Request& stream, Context&, std::span<const Header> headers) override {
    note(stream, "decide by " + std::to_string(headers.size()));
    return at_first;
  }
  void end(const Request& stream, Context&, GrpcStatus status, bool cancelled, bool owed) override {
    note(stream, "end " + std::string(to_string(status)) + (cancelled ? " cancelled" : "") +
                     (owed ? " owed" : ""));
  }
  void phase_begin(const Request& stream, Context&, const exchange::Whose& whose,
                   Phase phase) override {
    note(stream, name(whose) + " > " + std::string(to_string(phase)));
  }
  void phase_end(const Request& stream, Context&, const exchange::Whose& whose, Phase phase,
                 PhaseOutcome outcome) override {
    note(stream, name(whose) + " < " + std::string(to_string(phase)) + " " +
                     std::string(to_string(outcome)));
  }
  void immediate(const Request& stream, const exchange::Whose& whose, Phase, int status) override {
    note(stream, name(whose) + " answers " + std::to_string(status));
  }
  void violation(const Request& stream, const exchange::Whose& whose, Phase, Rule rule) override {
    note(stream, name(whose) + " breaks " + std::string(to_string(rule)));
  }
  const TraceContext* trace_of(const Request&) const override { return &trace_; }

 private:
  static std::string name(const exchange::Whose& whose) {
    return std::string(whose.processor) + (whose.in_chain ? " in chain" : "");
  }
  void note(const Request& stream, const std::string& text) {
    const auto number = streams_.emplace(&stream, streams_.size()).first->second;
    notes.push_back(std::to_string(number) + ": " + text);
  }

  std::map<const Request*, std::size_t> streams_;
  TraceContext trace_{.trace_id = {0xab}, .span_id = {0xcd}};
};

/// A host of its own for each, which forgets the answers.
class Watching final : private host::AnswerSink, private host::Control, private detail::CallInfo {
 public:
  Watching(const Service& service, const exchange::Watchers& watchers)
      : host_(detail::HostAccess::make_host(
            service, {}, nullptr,
            log::make_logger(LogLevel::off, {.sink = [](LogLevel, std::string_view) {}}),
            watchers)) {}

  /// A request's headers, then its body, and the peer's reset.
  void stream() {
    const auto exchange = host_.make_exchange(*this, *this);
    exchange->begin(*this);
    constexpr Header kHeaders[] = {{":method", "POST"}, {":path", "/"}};
    exchange->on({.phase = Phase::request_headers, .headers = kHeaders});
    if (!finished_)
      exchange->on({.phase = Phase::request_body, .end_of_stream = true, .body = "four"});
    if (!finished_) exchange->on({});
    exchange->on_closed(finished_ ? GrpcStatus::ok : GrpcStatus::cancelled, !finished_);
    finished_ = false;
  }

  std::string told(metrics::Format format = metrics::Format::text) const {
    metrics::Families families;
    bool in_chain = false;
    detail::HostAccess::for_each_cells(
        host_, [&](const detail::Dispatcher& processor, const metrics::StreamCells& cells) {
          const metrics::StreamCells* all[] = {&cells};
          metrics::add_streams(
              {.processor = processor.name(), .phases = processor.phases(), .in_chain = in_chain},
              all, families);
          in_chain = true;
        });
    return metrics::write(families, format);
  }

 private:
  void headers(Phase, const HttpHeaders&, const HeadersResponse&) override {}
  void body(Phase, const HttpBody&, BodyResponse&) override {}
  void trailers(Phase, const HttpTrailers&, const TrailersResponse&) override {}
  void piece(Phase, const HttpBody&, const ResponseExtras*) override {}
  void reply(Phase, const ImmediateResponse&, const ResponseExtras*) override {}
  void reply_head(std::span<const Header>, const ResponseExtras*) override {}
  void reply_chunk(std::string_view, const ResponseExtras*) override {}
  void reply_end(std::span<const Header>, const ResponseExtras*) override {}
  void ask_for_time(std::chrono::milliseconds) override {}
  void consumed(Phase, std::size_t) override {}
  bool congested(Phase) const override { return false; }
  std::size_t held_bytes() const override { return 0; }

  void finish(GrpcStatus, std::string_view) override { finished_ = true; }
  void wake_at(std::optional<host::Clock::time_point>) override {}
  void pause() override {}
  void resume() override {}
  void released() override {}

  std::string_view peer() const override { return "peer"; }
  std::optional<std::chrono::steady_clock::time_point> deadline() const override { return {}; }
  std::size_t metadata_size() const override { return 0; }
  std::pair<std::string_view, std::string_view> metadata_at(std::size_t) const override {
    return {};
  }

  host::Host host_;
  bool finished_ = false;
};

/// Breaks a rule at the headers and doubles the body.
std::shared_ptr<Handlers> doubles(const std::string& name) {
  auto made = std::make_shared<Handlers>(name);
  Handlers& handlers = *made;
  handlers.process<Phase::request_headers>(
      [](auto&, auto&, auto&, auto& answer) { answer.remove_header("host"); });
  handlers.process<Phase::request_body>([](auto& body, auto&, auto&, auto& answer) {
    answer.replace_body(std::string(body.body()) + std::string(body.body()));
  });
  return made;
}

std::shared_ptr<Handlers> denies() {
  auto made = std::make_shared<Handlers>("D");
  Handlers& handlers = *made;
  handlers.process<Phase::request_headers>([](auto&, auto&, auto&, auto& answer) {
    answer.respond(form_immediate_response(403, {}, "denied"));
  });
  return made;
}

TEST(Watch, TellsATracerOfAStream) {
  NotingTracer tracer;
  Watching host(Service(doubles("P")), {.tracer = &tracer});
  host.stream();
  EXPECT_THAT(tracer.notes,
              ElementsAre("0: begin", "0: P > request_headers", "0: P breaks header_not_removable",
                          "0: P < request_headers answered", "0: P > request_body",
                          "0: P < request_body answered", "0: end CANCELLED cancelled"));
  EXPECT_THAT(host.told(), IsEmpty());
}

TEST(Watch, AStreamThatIsUndecidedIsDecidedByItsHeaders) {
  NotingTracer tracer;
  tracer.at_begin = Traced::undecided;
  Watching host(Service(denies()), {.tracer = &tracer});
  host.stream();
  EXPECT_THAT(tracer.notes,
              ElementsAre("0: begin", "0: decide by 2", "0: D > request_headers",
                          "0: D answers 403", "0: D < request_headers immediate", "0: end OK"));
  tracer.notes.clear();
  tracer.at_first = false;
  host.stream();
  EXPECT_THAT(tracer.notes, ElementsAre(HasSubstr("begin"), HasSubstr("decide by 2"),
                                        HasSubstr("D answers 403"), "0: end OK"));
}

TEST(Watch, OfAStreamThatIsNotTracedAlmostNothingIsTold) {
  NotingTracer tracer;
  tracer.at_begin = Traced::no;
  Watching(Service(doubles("P")), {.tracer = &tracer}).stream();
  EXPECT_THAT(tracer.notes, ElementsAre("0: begin", "0: P breaks header_not_removable",
                                        "0: end CANCELLED cancelled"));
}

TEST(Watch, TellsOfAChainsProcessorsByTheChainsStream) {
  NotingTracer tracer;
  tracer.at_begin = Traced::undecided;
  Chain chain({Service(doubles("A")), Service(denies())}, "C");
  Watching host(Service(chain), {.metrics = true, .sample = 1, .tracer = &tracer});
  host.stream();
  EXPECT_THAT(
      tracer.notes,
      ElementsAre("0: begin", "0: decide by 2", "0: C > request_headers",
                  "0: A in chain > request_headers", "0: A in chain breaks header_not_removable",
                  "0: D in chain > request_headers", "0: D in chain answers 403",
                  "0: D in chain < request_headers immediate",
                  "0: A in chain < request_headers answered", "0: C answers 403",
                  "0: C < request_headers immediate", "0: end OK"));
  for (const char* line :
       {"extproc_streams_total{processor=\"C\",code=\"OK\"} 1\n",
        "extproc_phases_total{processor=\"A\",phase=\"request_headers\",outcome=\"answered\"} 1\n",
        "extproc_phases_total{processor=\"C\",phase=\"request_headers\",outcome=\"immediate\"} 1\n",
        "extproc_misused_answers_total{processor=\"A\",rule=\"header_not_removable\"} 1\n",
        "extproc_misused_answers_total{processor=\"D\",rule=\"header_not_removable\"} 0\n",
        "extproc_immediate_responses_total{processor=\"D\",phase=\"request_headers\","
        "status_class=\"4xx\"} 1\n",
        "extproc_immediate_responses_total{processor=\"C\",phase=\"request_headers\","
        "status_class=\"4xx\"} 1\n",
        "extproc_messages_total{processor=\"C\",direction=\"sent\",phase=\"request_headers\"} 1\n",
        "extproc_body_bytes_total{processor=\"C\",direction=\"sent\",phase=\"request_headers\"} "
        "6\n"})
    EXPECT_THAT(host.told(), HasSubstr(line));
}

TEST(Watch, CountsForMetrics) {
  Watching host(Service(doubles("P")), {.metrics = true, .sample = 1});
  for (int i = 0; i < 3; ++i) host.stream();
  for (const char* line :
       // Nothing was owed to the peer, which ends streams so.
       {"extproc_streams_total{processor=\"P\",code=\"OK\"} 3\n",
        "extproc_streams_total{processor=\"P\",code=\"CANCELLED\"} 0\n",
        "extproc_stream_duration_seconds_count{processor=\"P\"} 3\n",
        "extproc_phases_total{processor=\"P\",phase=\"request_body\",outcome=\"answered\"} 3\n",
        "extproc_phase_duration_seconds_count{processor=\"P\",phase=\"request_body\"} 3\n",
        "extproc_misused_answers_total{processor=\"P\",rule=\"header_not_removable\"} 3\n",
        "extproc_messages_total{processor=\"P\",direction=\"received\",phase=\"none\"} 3\n",
        "extproc_messages_total{processor=\"P\",direction=\"received\",phase=\"request_body\"} 3\n",
        "extproc_messages_total{processor=\"P\",direction=\"sent\",phase=\"request_body\"} 3\n",
        "extproc_body_bytes_total{processor=\"P\",direction=\"received\",phase=\"request_body\"} "
        "12\n",
        "extproc_body_bytes_total{processor=\"P\",direction=\"sent\",phase=\"request_body\"} 24\n"})
    EXPECT_THAT(host.told(), HasSubstr(line));
}

TEST(Watch, KeepsTheTimesOfSomeStreamsAndOfThoseThatAreTraced) {
  constexpr int kStreams = 400;
  Watching some(Service(doubles("P")), {.metrics = true, .sample = 4});
  for (int i = 0; i < kStreams; ++i) some.stream();
  const std::string text = some.told();
  const std::string_view name = "extproc_stream_duration_seconds_count{processor=\"P\"} ";
  const int kept = std::stoi(text.substr(text.find(name) + name.size()));
  EXPECT_GT(kept, kStreams / 8);
  EXPECT_LT(kept, kStreams / 2);
  EXPECT_THAT(text, HasSubstr("code=\"OK\"} 400\n"));

  NotingTracer tracer;
  Watching traced(Service(doubles("P")), {.metrics = true, .sample = 1'000'000, .tracer = &tracer});
  for (int i = 0; i < 5; ++i) traced.stream();
  EXPECT_THAT(traced.told(), HasSubstr("extproc_stream_duration_seconds_count{processor=\"P\"} 5"));
  EXPECT_THAT(traced.told(metrics::Format::openmetrics),
              AllOf(HasSubstr("# {trace_id=\"ab000000000000000000000000000000\""),
                    HasSubstr("span_id=\"cd00000000000000\"")));
}

TEST(Sampler, TakesOneOfSoManyWithoutARhythm) {
  exchange::Sampler none(0), all(1), some(8);
  int taken = 0;
  std::map<int, int> gaps;
  for (int i = 0, gap = 1; i < 80'000; ++i, ++gap) {
    EXPECT_FALSE(none.take());
    EXPECT_TRUE(all.take());
    if (!some.take()) continue;
    ++taken;
    ++gaps[gap];
    gap = 0;
  }
  EXPECT_NEAR(taken, 10'000, 500);
  // All from 1 to 15, each as often as the others.
  EXPECT_EQ(gaps.size(), 15U);
  for (const auto& [gap, times] : gaps) EXPECT_NEAR(times, taken / 15, 150) << gap;
}

}  // namespace
}  // namespace extproc
