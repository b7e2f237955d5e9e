#include "exchange/reporter.h"

#include <initializer_list>
#include <string>
#include <utility>

#include "extproc/context.h"
#include "extproc/detail/blocking_pool.h"
#include "extproc/request.h"
#include "rules/advice.h"

namespace extproc::exchange {
namespace {

constexpr std::string_view kSlowHandlerAdvice =
    " on an I/O thread, where other streams wait for it: mark the processor blocking(), or use "
    "co_await offload(...). This is logged once";

std::string microseconds(std::chrono::nanoseconds duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(duration).count()) +
         " us";
}

std::string text(std::initializer_list<std::string_view> parts) {
  std::string line;
  for (const auto part : parts) line.append(part);
  return line;
}

}  // namespace

void Reporter::phase_begin(const Request& request, Phase phase) const {
  const std::string& name = env_.dispatcher.name();
  if (env_.link != nullptr) env_.link->calls.add();
  if (env_.logger.enabled(LogLevel::debug)) {
    env_.logger.log(LogLevel::debug,
                    text({name, ": ", to_string(phase), " begins for request ", request.id()}));
  }
  if (env_.settings.observer != nullptr) env_.settings.observer->phase_begin(name, request, phase);
}

void Reporter::phase_end(const Request& request, Phase phase, PhaseOutcome outcome,
                         std::chrono::nanoseconds spent) const {
  const std::string& name = env_.dispatcher.name();
  if (env_.settings.observer != nullptr)
    env_.settings.observer->phase_end(name, request, phase, outcome, spent);
  if (env_.logger.enabled(LogLevel::debug)) {
    env_.logger.log(LogLevel::debug,
                    text({name, ": ", to_string(phase), " ended for request ", request.id(), ": ",
                          to_string(outcome), " after ", microseconds(spent)}));
  }
}

void Reporter::failure(const Request& request, Phase phase, std::string_view what) const {
  env_.counters.handler_failures.add();
  if (env_.link != nullptr) env_.link->failures.add();
  // A chain fails as one, whichever of its processors did.
  const bool alone = env_.link == nullptr;
  const std::string_view of = alone ? std::string_view() : env_.dispatcher.name();
  env_.logger.log(LogLevel::error,
                  text({alone ? env_.dispatcher.name() : env_.chain_name, ": ", to_string(phase),
                        " failed for request ", request.id(), ": ", of, alone ? "" : ": ", what}));
}

// Under a load that is too much there are many: a line for all of a while.
void Reporter::refused(Phase phase) const {
  constexpr std::chrono::seconds kBetweenLines{10};
  env_.counters.refused_jobs.add();
  Refusals& refusals = env_.refusals;
  ++refusals.count;
  const auto now = Clock::now();
  if (refusals.told && now - *refusals.told < kBetweenLines) return;
  refusals.told = now;
  env_.logger.log(
      LogLevel::warning,
      text({env_.dispatcher.name(), ": ", to_string(phase), ": work was not begun, ",
            detail::kRefused, " (", std::to_string(std::exchange(refusals.count, 0)),
            " since this was told last). More blocking threads help where they only wait"}));
}

void Reporter::time_on_thread(Phase phase, std::chrono::nanoseconds spent) const {
  if (spent <= env_.settings.slow_handler || env_.dispatcher.suspends() ||
      !env_.dispatcher.advise_once_on_time())
    return;
  env_.logger.log(LogLevel::warning, text({env_.dispatcher.name(), ": ", to_string(phase), " took ",
                                           microseconds(spent), kSlowHandlerAdvice}));
}

void Reporter::malformed_message(const Context& context) const {
  env_.counters.malformed_messages.add();
  env_.logger.log(LogLevel::warning,
                  text({env_.dispatcher.name(), ": a message from ", context.peer(),
                        " is not a ProcessingRequest: its stream is ended"}));
}

void Reporter::violation(Phase phase, Rule rule, std::string_view field) const {
  env_.counters.misused_answers.add();
  if (env_.link != nullptr) env_.link->misused_answers.add();
  const std::string_view what = rules::advice(rule);
  if (env_.settings.on_violation)
    env_.settings.on_violation({rule, phase, std::string(field), std::string(what)});
  if (!env_.dispatcher.advise_once(rule)) return;
  const std::string_view separator = field.empty() ? "" : " \"";
  const std::string_view quote = field.empty() ? "" : "\"";
  env_.logger.log(LogLevel::warning,
                  text({env_.dispatcher.name(), ": ", to_string(phase), ": ", to_string(rule),
                        separator, field, quote, ": ", what, ". This is logged once"}));
}

}  // namespace extproc::exchange
