#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

#include "exchange/environment.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/observer.h"
#include "extproc/phase.h"
#include "extproc/rule.h"
#include "rules/header_rules.h"

namespace extproc::exchange {

/// Tells the observer, the counters and the log what the handlers of a thread's streams do: their
/// processor, and each one of a chain.
class Reporter final : public detail::ChainHost {
 public:
  /// `environment` must outlive it.
  explicit Reporter(Environment& environment) : env_(environment) {}

  Environment& environment() const { return env_; }

  void phase_begin(const Request& request, Phase phase) const;
  void phase_end(const Request& request, Phase phase, PhaseOutcome outcome,
                 std::chrono::nanoseconds spent) const;
  void failure(const Request& request, Phase phase, std::string_view what) const;
  /// A handler took so long on the stream's own thread.
  void time_on_thread(Phase phase, std::chrono::nanoseconds spent) const;
  void malformed_message(const Context& context) const;

  /// The answer of `phase` breaks `rule`.
  void violation(Phase phase, Rule rule, std::string_view field) const;

  std::string_view chain_header() const override { return env_.chain_header; }
  const FilterSettings& filter() const override { return env_.filter; }
  std::chrono::steady_clock::time_point now() const override { return env_.now(); }
  void link_begin(std::size_t link, const Request& request, Phase phase) override;
  void link_end(std::size_t link, const Request& request, Phase phase, PhaseOutcome outcome,
                std::chrono::nanoseconds spent) override;
  void link_violation(std::size_t link, Phase phase, Rule rule, std::string_view field) override;

 private:
  void report(std::string_view name, Phase phase, Rule rule, std::string_view field) const;

  Environment& env_;
};

/// Reports what is wrong with the answer of one phase.
class AnswerViolations final : public rules::ViolationListener {
 public:
  AnswerViolations(const Reporter& reporter, Phase phase) : reporter_(reporter), phase_(phase) {}

  void on_violation(Rule rule, std::string_view field) override {
    reporter_.violation(phase_, rule, field);
  }

 private:
  const Reporter& reporter_;
  Phase phase_;
};

}  // namespace extproc::exchange
