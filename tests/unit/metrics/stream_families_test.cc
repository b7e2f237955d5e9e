// What is told of a processor's streams, and what is left out.
#include "metrics/stream_families.h"

#include <gmock/gmock.h>

#include <array>
#include <string>

#include "metrics/exposition.h"

namespace extproc::metrics {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string told(const StreamsOf& of, std::span<const StreamCells* const> cells) {
  Families families;
  add_streams(of, cells, families);
  return write(families, Format::text);
}

constexpr std::size_t index(auto value) { return static_cast<std::size_t>(value); }

TEST(StreamFamilies, AreTheSumOverTheThreads) {
  StreamCells first, second;
  for (StreamCells* each : {&first, &second}) {
    each->ended[index(GrpcStatus::cancelled)].add();
    each->phases[index(Phase::request_headers)][index(PhaseOutcome::immediate)].add(2);
    each->immediate[index(Phase::request_headers)][3].add(2);
    each->violations[index(Rule::header_denied)].add(3);
    each->received.messages[index(Phase::request_body)].add(4);
    each->received.body_bytes[index(Phase::request_body)].add(50);
    each->sent.messages[index(Phase::request_headers)].add();
    each->open.add(std::chrono::milliseconds(5));
    each->in_phase[index(Phase::request_headers)].add(std::chrono::microseconds(5));
  }
  first.without_phase.add(7);
  const std::array<const StreamCells*, 2> cells{&first, &second};
  const std::string text =
      told({.processor = "P", .phases = {Phase::request_headers}, .sample = 16}, cells);
  for (const char* line :
       {"extproc_streams_total{processor=\"P\",code=\"CANCELLED\"} 2\n",
        "extproc_streams_total{processor=\"P\",code=\"OK\"} 0\n",
        "extproc_phases_total{processor=\"P\",phase=\"request_headers\",outcome=\"immediate\"} 4\n",
        "extproc_phases_total{processor=\"P\",phase=\"request_headers\",outcome=\"late\"} 0\n",
        "extproc_immediate_responses_total{processor=\"P\",phase=\"request_headers\","
        "status_class=\"4xx\"} 4\n",
        "extproc_misused_answers_total{processor=\"P\",rule=\"header_denied\"} 6\n",
        "extproc_messages_total{processor=\"P\",direction=\"received\",phase=\"request_body\"} 8\n",
        "extproc_messages_total{processor=\"P\",direction=\"received\",phase=\"none\"} 7\n",
        "extproc_messages_total{processor=\"P\",direction=\"sent\",phase=\"request_headers\"} 2\n",
        "extproc_body_bytes_total{processor=\"P\",direction=\"received\",phase=\"request_body\"} "
        "100\n",
        "extproc_stream_duration_seconds_count{processor=\"P\"} 2\n",
        "extproc_stream_duration_seconds_sum{processor=\"P\"} 0.01\n",
        "extproc_phase_duration_seconds_bucket{processor=\"P\",phase=\"request_headers\","
        "le=\"1e-05\"} 2\n"})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, HasSubstr("exact, of 1 of 16 streams"));
}

TEST(StreamFamilies, LeaveOutWhatCannotComeUnlessItDid) {
  StreamCells cells;
  const std::array<const StreamCells*, 1> all{&cells};
  const StreamsOf of{.processor = "P", .phases = {Phase::request_headers}, .sample = 1};
  EXPECT_THAT(told(of, all),
              AllOf(Not(HasSubstr("phase=\"response_headers\",outcome")),
                    Not(HasSubstr("status_class=\"1xx\"")),
                    Not(HasSubstr("body_bytes_total{processor=\"P\",direction=\"received\",phase="
                                  "\"request_headers\"")),
                    HasSubstr("body_bytes_total{processor=\"P\",direction=\"sent\",phase="
                              "\"request_headers\"} 0\n"),
                    HasSubstr("to its end; of all streams\n")));
  cells.phases[index(Phase::response_headers)][index(PhaseOutcome::answered)].add();
  cells.immediate[index(Phase::response_headers)][0].add();
  EXPECT_THAT(told(of, all), AllOf(HasSubstr("phase=\"response_headers\",outcome=\"answered\"} 1"),
                                   HasSubstr("status_class=\"1xx\"} 1")));
}

TEST(StreamFamilies, OfAProcessorInAChainHaveNoStreams) {
  StreamCells cells;
  const std::array<const StreamCells*, 1> all{&cells};
  const std::string text =
      told({.processor = "P", .phases = PhaseSet::all(), .in_chain = true}, all);
  EXPECT_THAT(text, AllOf(Not(HasSubstr("extproc_stream")), Not(HasSubstr("extproc_messages")),
                          HasSubstr("extproc_phases_total"), HasSubstr("extproc_misused_answers"),
                          HasSubstr("extproc_phase_duration_seconds_count")));
}

}  // namespace
}  // namespace extproc::metrics
