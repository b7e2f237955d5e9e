#include "exchange/reporter.h"

#include <exception>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

#include "exchange/ending.h"
#include "extproc/context.h"
#include "extproc/detail/blocking_pool.h"
#include "extproc/request.h"
#include "rules/advice.h"

namespace extproc::exchange {
namespace {

constexpr std::string_view kSlowHandlerAdvice =
    "it ran on an I/O thread, where other streams wait for it: mark the processor blocking(), or "
    "use co_await offload(...). This is logged once";

constexpr std::string_view kMessageTimeoutAdvice =
    " ms, the message_timeout that the server was told of: give the filter and the server "
    "(FilterSettings, --message-timeout) the same one, longer than the work takes. This is logged "
    "once";

constexpr std::string_view kNoTimerAdvice =
    "Envoy runs no timer in FULL_DUPLEX_STREAMED mode, so that the request waits for as long as it "
    "does: fall_back_after() bounds that. No body is handled before this one returns, so that what "
    "is only known from the body is found by the body's handler, which headers can wait for "
    "(HeadersResponse::wait_for_body). This is logged once";

constexpr std::string_view kNotSentAdvice =
    ", and the answers ask for no other mode: unless this route's is so on purpose, extproc config "
    "writes what the processor needs, and "
    "extproc check compares. This is logged once";

constexpr std::string_view kMetadataAdvice =
    "its needs() do not state that namespace, and a filter takes those alone that "
    "metadata_options.receiving_namespaces names: Envoy drops it without a word then. State it in "
    "Needs::metadata_set, which extproc config writes and extproc check compares. This is logged "
    "once";

std::string microseconds(std::chrono::nanoseconds duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(duration).count()) +
         " us";
}

std::string text(std::initializer_list<std::string_view> parts) {
  std::string line;
  for (const auto part : parts) line.append(part);
  return line;
}

/// Empty where it has none.
std::string_view id_of(const Request& request) {
  const std::string_view id = request.id();
  return id == "unknown" ? std::string_view() : id;
}

}  // namespace

const TraceContext* Reporter::trace_of(const Request& request) const {
  return env_.watch == nullptr ? nullptr : env_.watch->trace_of(request);
}

void Reporter::log_phase_begin(const Request& request, Phase phase) const {
  env_.logger.log({.level = LogLevel::debug,
                   .kind = LineKind::phase,
                   .event = "begins",
                   .processor = env_.dispatcher.name(),
                   .phase = phase,
                   .request_id = id_of(request),
                   .trace = trace_of(request)});
}

void Reporter::log_phase_end(const Request& request, Phase phase, PhaseOutcome outcome,
                             std::chrono::nanoseconds spent) const {
  env_.logger.log({.level = LogLevel::debug,
                   .kind = LineKind::phase,
                   .event = "ended",
                   .detail = text({to_string(outcome), " after ", microseconds(spent)}),
                   .processor = env_.dispatcher.name(),
                   .phase = phase,
                   .request_id = id_of(request),
                   .trace = trace_of(request)});
}

void Reporter::failure(const Request& request, Phase phase, std::string_view what) const {
  failed(request, phase, "failed", what);
}

void Reporter::tell_complete(const Completed& how, Context& context, Request& request) const {
  try {
    env_.dispatcher.complete(how, context, request);
  } catch (...) {
    const Ending ending = ending_of(std::current_exception());
    failed(request, std::nullopt, "on_complete failed",
           ending.immediate ? "it stopped processing when all was over" : ending.what);
  }
}

void Reporter::failed(const Request& request, std::optional<Phase> phase, std::string_view event,
                      std::string_view what) const {
  env_.counters.handler_failures.add();
  // A chain fails as one, whichever of its processors did.
  std::string of_which;
  if (env_.link != nullptr) {
    env_.link->failures.add();
    of_which = text({env_.dispatcher.name(), ": ", what});
  }
  env_.logger.log({.level = LogLevel::error,
                   .kind = LineKind::failure,
                   .event = event,
                   .detail = env_.link != nullptr ? std::string_view(of_which) : what,
                   .processor = env_.link != nullptr ? env_.chain_name : env_.dispatcher.name(),
                   .phase = phase,
                   .request_id = id_of(request),
                   .trace = trace_of(request)});
}

// Under a load that is too much there are many: a line for all of a while.
void Reporter::refused(const Request& request, Phase phase) const {
  constexpr std::chrono::seconds kBetweenLines{10};
  env_.counters.refused_jobs.add();
  Refusals& refusals = env_.refusals;
  ++refusals.count;
  const auto now = Clock::now();
  if (refusals.told && now - *refusals.told < kBetweenLines) return;
  refusals.told = now;
  env_.logger.log({.level = LogLevel::warning,
                   .kind = LineKind::refused_job,
                   .event = text({"work was not begun, ", detail::kRefused}),
                   .detail = text({std::to_string(std::exchange(refusals.count, 0)),
                                   " since this was told last. More blocking threads help where "
                                   "they only wait"}),
                   .processor = env_.dispatcher.name(),
                   .phase = phase,
                   .request_id = id_of(request),
                   .trace = trace_of(request)});
}

void Reporter::tell_slow(const Request& request, Phase phase,
                         std::chrono::nanoseconds spent) const {
  if (env_.dispatcher.suspends() || !env_.dispatcher.advise_once(detail::Advice::slow_handler))
    return;
  env_.logger.log({.level = LogLevel::warning,
                   .kind = LineKind::slow_handler,
                   .event = "took " + microseconds(spent),
                   .detail = kSlowHandlerAdvice,
                   .processor = env_.dispatcher.name(),
                   .phase = phase,
                   .request_id = id_of(request),
                   .trace = trace_of(request)});
}

void Reporter::outlasts(const Request& request, Phase phase, std::chrono::nanoseconds time) const {
  if (!env_.dispatcher.advise_once(detail::Advice::message_timeout)) return;
  env_.logger.log(
      {.level = LogLevel::warning,
       .kind = LineKind::slow_handler,
       .event = text({"took ", microseconds(time), " on a blocking thread"}),
       .detail = text({"longer than ", std::to_string(env_.settings.filter.message_timeout.count()),
                       kMessageTimeoutAdvice}),
       .processor = env_.dispatcher.name(),
       .phase = phase,
       .request_id = id_of(request),
       .trace = trace_of(request)});
}

void Reporter::waits_untimed(const Request& request, Phase phase) const {
  if (!env_.dispatcher.advise_once(detail::Advice::no_timer)) return;
  env_.logger.log({.level = LogLevel::warning,
                   .kind = LineKind::slow_handler,
                   .event = text({"has waited for ",
                                  std::to_string(env_.settings.filter.message_timeout.count()),
                                  " ms (message_timeout)"}),
                   .detail = kNoTimerAdvice,
                   .processor = env_.dispatcher.name(),
                   .phase = phase,
                   .request_id = id_of(request),
                   .trace = trace_of(request)});
}

void Reporter::not_sent(const Request& request, Phase phase) const {
  if (!env_.dispatcher.advise_once(detail::Advice::not_sent)) return;
  const std::string_view mode =
      is_request_phase(phase) ? "request_body_mode" : "response_body_mode";
  env_.logger.log(
      {.level = LogLevel::warning,
       .kind = LineKind::misused_answer,
       .event = "is never called",
       .detail = text({"the filter's processing_mode has ", mode, ": NONE", kNotSentAdvice}),
       .processor = env_.dispatcher.name(),
       .phase = phase,
       .request_id = id_of(request),
       .trace = trace_of(request)});
}

void Reporter::metadata_not_stated(const Request& request, Phase phase,
                                   std::string_view name) const {
  if (!env_.dispatcher.advise_once("metadata_set", name)) return;
  env_.logger.log({.level = LogLevel::warning,
                   .kind = LineKind::misused_answer,
                   .event = text({"sets the dynamic metadata of ", name}),
                   .detail = kMetadataAdvice,
                   .processor = env_.dispatcher.name(),
                   .phase = phase,
                   .request_id = id_of(request),
                   .trace = trace_of(request)});
}

void Reporter::malformed_message(const Request& request, const Context& context,
                                 std::string_view what) const {
  env_.counters.malformed_messages.add();
  if (!env_.logger.enabled(LogLevel::warning)) return;
  env_.logger.log({.level = LogLevel::warning,
                   .kind = LineKind::malformed_message,
                   .event = text({"a message from ", context.peer(), " ", what}),
                   .detail = "its stream is ended",
                   .processor = env_.dispatcher.name(),
                   .request_id = id_of(request),
                   .trace = trace_of(request)});
}

void Reporter::over_limit(const Request& request, const Context& context,
                          std::string_view what) const {
  env_.counters.streams_over_limit.add();
  env_.logger.log({.level = LogLevel::warning,
                   .kind = LineKind::over_limit,
                   .event = text({"a stream of ", context.peer(), " is ended over a limit"}),
                   .detail = text({what, ". docs/guide.md has what to do"}),
                   .processor = env_.dispatcher.name(),
                   .request_id = id_of(request),
                   .trace = trace_of(request)});
}

void Reporter::violation(const Request& request, Phase phase, Rule rule,
                         std::string_view field) const {
  env_.counters.misused_answers.add();
  if (env_.link != nullptr) env_.link->misused_answers.add();
  if (env_.watch != nullptr) env_.watch->violation(request, phase, rule);
  const std::string_view what = rules::advice(rule);
  if (env_.settings.on_violation)
    env_.settings.on_violation({rule, phase, std::string(field), std::string(what)});
  const bool first = env_.dispatcher.advise_once(rule, field);
  if (!first && !env_.logger.enabled(LogLevel::debug)) return;
  const std::string_view separator = field.empty() ? "" : " \"";
  const std::string_view quote = field.empty() ? "" : "\"";
  env_.logger.log({.level = first ? LogLevel::warning : LogLevel::debug,
                   .kind = LineKind::misused_answer,
                   .detail = text({to_string(rule), separator, field, quote, ": ", what,
                                   ". This is logged once"}),
                   .processor = env_.dispatcher.name(),
                   .phase = phase,
                   .request_id = id_of(request),
                   .trace = trace_of(request)});
}

}  // namespace extproc::exchange
