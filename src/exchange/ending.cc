#include "exchange/ending.h"

#include "extproc/error.h"

namespace extproc::exchange {

Ending ending_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const StopRequestProcessing& stop) {
    return {.outcome = PhaseOutcome::immediate, .thrown = true, .immediate = &stop.response()};
  } catch (const Overloaded& overloaded) {
    return {.outcome = PhaseOutcome::failed,
            .thrown = true,
            .refused = true,
            .what = overloaded.what()};
  } catch (const std::exception& error) {
    return {.outcome = PhaseOutcome::failed, .thrown = true, .what = error.what()};
  } catch (...) {
    return {.outcome = PhaseOutcome::failed,
            .thrown = true,
            .what = "something that is not a std::exception"};
  }
}

}  // namespace extproc::exchange
