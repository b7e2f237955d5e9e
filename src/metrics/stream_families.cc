#include "metrics/stream_families.h"

#include <cstddef>

namespace extproc::metrics {
namespace {

using Cells = std::span<const StreamCells* const>;

/// Over all threads.
template <class Of>
double sum(Cells cells, Of of) {
  double all = 0;
  for (const StreamCells* each : cells) all += static_cast<double>(of(*each).value());
  return all;
}

template <class Of>
Distribution distribution(Cells cells, Of of) {
  Distribution all;
  for (const StreamCells* each : cells) of(*each).read(all);
  return all;
}

LabelPairs labels(const StreamsOf& of) { return {{"processor", std::string(of.processor)}}; }
LabelPairs labels(const StreamsOf& of, std::string_view name, std::string_view value) {
  return {{"processor", std::string(of.processor)}, {std::string(name), std::string(value)}};
}
LabelPairs labels(const StreamsOf& of, std::size_t phase) {
  return labels(of, "phase", to_string(static_cast<Phase>(phase)));
}

std::string timed(const StreamsOf& of) {
  if (of.sample == 1) return "of all streams";
  return "exact, of 1 of " + std::to_string(of.sample) +
         " streams (--metrics-sample) and of those that are traced";
}

/// Counted by phase: those alone that can come to something, and what has.
template <class Add>
void by_phase(const StreamsOf& of, Add add) {
  for (std::size_t phase = 0; phase < kPhaseCount; ++phase)
    add(phase, of.phases.contains(static_cast<Phase>(phase)));
}

void add_phases(const StreamsOf& of, Cells cells, Families& families) {
  Family& counts = families.get("extproc_phases_total", Kind::counter,
                                "Phases that ended, by what became of their handler");
  by_phase(of, [&](std::size_t phase, bool handled) {
    for (std::size_t outcome = 0; outcome < kOutcomes; ++outcome) {
      const double count =
          sum(cells, [&](const StreamCells& each) -> auto& { return each.phases[phase][outcome]; });
      if (!handled && count == 0) continue;
      LabelPairs its = labels(of, phase);
      its.emplace_back("outcome", to_string(static_cast<PhaseOutcome>(outcome)));
      counts.add(std::move(its), count);
    }
  });
  Family& times = families.get(
      "extproc_phase_duration_seconds", Kind::histogram,
      "Time from a phase's message to its handler's end, waiting included; " + timed(of));
  by_phase(of, [&](std::size_t phase, bool handled) {
    if (!handled) return;
    times.add(labels(of, phase), distribution(cells, [&](const StreamCells& each) -> auto& {
                return each.in_phase[phase];
              }));
  });
}

void add_immediate(const StreamsOf& of, Cells cells, Families& families) {
  constexpr std::string_view kClasses[kStatusClasses] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  Family& counts =
      families.get("extproc_immediate_responses_total", Kind::counter,
                   "Responses to the caller in place of the upstream's, by their status");
  by_phase(of, [&](std::size_t phase, bool handled) {
    for (std::size_t i = 0; i < kStatusClasses; ++i) {
      const double count =
          sum(cells, [&](const StreamCells& each) -> auto& { return each.immediate[phase][i]; });
      // Envoy takes none below 200.
      if ((!handled || i == 0) && count == 0) continue;
      LabelPairs its = labels(of, phase);
      its.emplace_back("status_class", kClasses[i]);
      counts.add(std::move(its), count);
    }
  });
}

void add_violations(const StreamsOf& of, Cells cells, Families& families) {
  Family& counts = families.get("extproc_misused_answers_total", Kind::counter,
                                "Answers that broke a rule of Envoy's, by the rule");
  for (std::size_t rule = 0; rule < detail::kRuleCount; ++rule) {
    counts.add(labels(of, "rule", to_string(static_cast<Rule>(rule))),
               sum(cells, [&](const StreamCells& each) -> auto& { return each.violations[rule]; }));
  }
}

void add_streams_ended(const StreamsOf& of, Cells cells, Families& families) {
  Family& counts = families.get(
      "extproc_streams_total", Kind::counter,
      "Streams that ended, by their gRPC status; a reset by the peer, which is how Envoy ends "
      "them, is OK where no answer was owed, else CANCELLED");
  for (std::size_t code = 0; code < kStatuses; ++code) {
    counts.add(labels(of, "code", to_string(static_cast<GrpcStatus>(code))),
               sum(cells, [&](const StreamCells& each) -> auto& { return each.ended[code]; }));
  }
  families
      .get("extproc_stream_duration_seconds", Kind::histogram,
           "Time from a stream's begin to its end; " + timed(of))
      .add(labels(of),
           distribution(cells, [](const StreamCells& each) -> auto& { return each.open; }));
}

/// `of_flow`: messages, or bytes.
template <class OfFlow>
void add_flow(const StreamsOf& of, Cells cells, Family& counts, OfFlow of_flow, auto shown) {
  const auto add = [&](std::string_view direction, StreamCells::Flow StreamCells::*flow) {
    for (std::size_t phase = 0; phase < kPhaseCount; ++phase) {
      const double count =
          sum(cells, [&](const StreamCells& each) -> auto& { return of_flow(each.*flow)[phase]; });
      if (count == 0 && !shown(direction, static_cast<Phase>(phase))) continue;
      LabelPairs its = labels(of, "direction", direction);
      its.emplace_back("phase", to_string(static_cast<Phase>(phase)));
      counts.add(std::move(its), count);
    }
  };
  add("received", &StreamCells::received);
  add("sent", &StreamCells::sent);
}

void add_messages(const StreamsOf& of, Cells cells, Families& families) {
  Family& messages = families.get("extproc_messages_total", Kind::counter,
                                  "Messages from and to clients, by what they bring or answer");
  add_flow(
      of, cells, messages, [](const StreamCells::Flow& flow) -> auto& { return flow.messages; },
      [](std::string_view, Phase) { return true; });
  LabelPairs without = labels(of, "direction", "received");
  without.emplace_back("phase", "none");
  messages.add(std::move(without),
               sum(cells, [](const StreamCells& each) -> auto& { return each.without_phase; }));
  add_flow(
      of, cells,
      families.get("extproc_body_bytes_total", Kind::counter,
                   "Bytes of bodies in messages from and to clients; an answer that leaves a body "
                   "as it is has none"),
      [](const StreamCells::Flow& flow) -> auto& { return flow.body_bytes; },
      // A response of the processor's own has one in whichever phase it is given.
      [&](std::string_view direction, Phase phase) {
        return is_body(phase) || (direction == "sent" && of.phases.contains(phase));
      });
}

}  // namespace

void add_streams(const StreamsOf& of, std::span<const StreamCells* const> cells,
                 Families& families) {
  if (!of.in_chain) {
    add_streams_ended(of, cells, families);
    add_messages(of, cells, families);
  }
  add_phases(of, cells, families);
  add_immediate(of, cells, families);
  add_violations(of, cells, families);
}

}  // namespace extproc::metrics
