#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "base/access.h"
#include "extproc/context.h"
#include "extproc/immediate_response.h"
#include "extproc/observer.h"
#include "extproc/response.h"

namespace extproc::exchange {

/// How the run of a handler ended. It points into what it was made of.
struct Ending {
  /// answered, immediate, aborted or failed.
  PhaseOutcome outcome = PhaseOutcome::answered;
  /// An exception ended it: what the response holds does not count.
  bool thrown = false;
  /// It failed because work of it was not run for want of time.
  bool refused = false;
  /// Of immediate: given or thrown.
  const ImmediateResponse* immediate = nullptr;
  /// Of immediate: what else counts beside it, where there is any.
  const ResponseExtras* extras = nullptr;
  /// Of aborted.
  const detail::Abort* abort = nullptr;
  /// Of failed: what is wrong, as the exception says.
  std::string_view what{};
};

/// That of a handler which threw `failure`.
Ending ending_of(const std::exception_ptr& failure);

/// That of a handler which threw `failure`, if that is not null, and otherwise filled `response`.
inline Ending ending_of(const std::exception_ptr& failure, const Context& context,
                        const PhaseResponse& response) {
  if (failure != nullptr) return ending_of(failure);
  if (const detail::Abort* abort = detail::Access::aborted(context))
    return {.outcome = PhaseOutcome::aborted, .abort = abort};
  if (const auto& immediate = response.immediate_response()) {
    return {.outcome = PhaseOutcome::immediate,
            .immediate = &*immediate,
            .extras = response.extras_or_null()};
  }
  return {};
}

}  // namespace extproc::exchange
