#include "exchange/pacer.h"

#include <algorithm>

#include "extproc/error.h"

namespace extproc::exchange {

Pacer::Pacer(const Pace& pace) : pace_(pace) {
  if (pace.bytes_per_second == 0)
    throw Error(
        "Pace::bytes_per_second is 0: nothing could ever be written, it must be at least 1");
}

void Pacer::read(std::size_t bytes, Clock::time_point now) {
  unused_ += bytes;
  if (even_at_ <= now) return;
  const double owed = std::chrono::duration<double>(even_at_ - now).count();
  const auto ahead = static_cast<std::size_t>(owed * static_cast<double>(pace_.bytes_per_second));
  const std::size_t made_up = std::min(unused_, ahead);
  unused_ -= made_up;
  even_at_ -= time_for(made_up);
}

void Pacer::wrote(std::size_t bytes, Clock::time_point now) {
  const std::size_t of_what_was_read = std::min(bytes, unused_);
  unused_ -= of_what_was_read;
  even_at_ = std::max(even_at_, now) + time_for(bytes - of_what_was_read);
}

std::optional<Pacer::Clock::time_point> Pacer::writable_at(Clock::time_point now) const {
  const auto at = even_at_ - time_for(pace_.ahead);
  return at > now ? std::optional(at) : std::nullopt;
}

// A year is for ever.
Pacer::Clock::duration Pacer::time_for(std::size_t bytes) const {
  constexpr std::chrono::duration<double> kLongest = std::chrono::hours(24 * 365);
  const std::chrono::duration<double> time(static_cast<double>(bytes) /
                                           static_cast<double>(pace_.bytes_per_second));
  return std::chrono::duration_cast<Clock::duration>(std::min(time, kLongest));
}

}  // namespace extproc::exchange
