#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "extproc/detail/dispatcher.h"
#include "extproc/observer.h"
#include "extproc/phase.h"
#include "extproc/rule.h"
#include "processor/header_rules.h"
#include "stream/environment.h"

namespace extproc::stream {

/// Tells the observer, the counters and the log what the handlers of one stream do: its processor,
/// and each one of a chain.
class Reporter final : public detail::ViolationListener, public detail::ChainHost {
 public:
  explicit Reporter(Environment& environment) : env_(environment) {}

  /// Whose answer is being made, for what is told of it.
  void answers(Phase phase) { answered_ = phase; }

  void phase_begin(const Request& request, Phase phase) const;
  void phase_end(const Request& request, Phase phase, PhaseOutcome outcome,
                 std::chrono::nanoseconds spent) const;
  void failure(const Request& request, Phase phase, std::string_view what) const;
  /// A handler took so long on the stream's own thread.
  void time_on_thread(Phase phase, std::chrono::nanoseconds spent) const;
  void malformed_message(const Context& context) const;

  void on_violation(Rule rule, std::string_view field) override;

  std::string_view chain_header() const override { return env_.chain_header; }
  const FilterSettings& filter() const override { return env_.filter; }
  std::chrono::steady_clock::time_point now() const override { return env_.now(); }
  void link_begin(std::size_t link, const Request& request, Phase phase) override;
  void link_end(std::size_t link, const Request& request, Phase phase, PhaseOutcome outcome,
                std::chrono::nanoseconds spent) override;
  void link_violation(std::size_t link, Rule rule, std::string_view field) override;

 private:
  void report(std::string_view name, Rule rule, std::string_view field) const;

  Environment& env_;
  Phase answered_ = Phase::request_headers;
};

}  // namespace extproc::stream
