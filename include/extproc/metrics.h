#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/export.h"

/// A program's own metrics, which a server with Settings::metrics publishes together with those of
/// the library. Without one they are counted all the same, and told to nobody.
///
///     const metrics::Counter denied_{"myapp_denied_total", "Requests that were denied"};
///     ...
///     denied_.add();
///
/// Made at start, as a member of a processor or beside it; each call of a constructor looks the
/// name up under a lock. Objects of the same name and labels share their series, so that the
/// processors of several threads, or a processor that is made anew, count together. Series stay for
/// as long as the process does. Copies are cheap.
///
/// Names are those of Prometheus: letters, digits and underscores, not a digit first, the unit last
/// ("_seconds", "_bytes"), and that of a counter ends in "_total". What begins with "extproc_" or
/// "process_" is the library's and the process's own. All series of a name have the same type, help
/// and names of labels. Whatever else is wrong is refused with an Error that says what to do.
///
/// The values of labels should come from what is configured: one that a request brings lets whoever
/// sends requests fill the memory. There are at most kMostSeries.
namespace extproc::metrics {

/// {{"tenant", "blue"}, ...}; their order does not matter.
using Labels = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::size_t kMostSeries = 10'000;

/// Upper bounds of a histogram of seconds, of what the library's own have: 10 us to 60 s.
EXTPROC_API std::span<const double> duration_bounds();

/// Only grows.
class EXTPROC_API Counter {
 public:
  /// Throws Error.
  Counter(std::string_view name, std::string_view help, Labels labels = {});

  /// Any thread, several at once, each of which counts by itself: one addition. An amount below
  /// zero, and none that is a number, do not count.
  void add(double amount = 1) const;

 private:
  std::uint32_t cell_;
};

/// Goes up and down: one value for all threads.
class EXTPROC_API Gauge {
 public:
  /// Throws Error. It begins at 0.
  Gauge(std::string_view name, std::string_view help, Labels labels = {});

  /// Any thread, several at once. From many threads in the path of each request a Counter of what
  /// begins, and one of what ends, cost less.
  void set(double value) const;
  void add(double amount = 1) const;
  void subtract(double amount = 1) const { add(-amount); }

 private:
  /// For as long as the process lives.
  std::atomic<double>* value_;
};

/// How often values were how large.
class EXTPROC_API Histogram {
 public:
  /// `bounds`: the upper bounds of its buckets, included, rising, at most 100; those above the last
  /// are counted as well. All series of a name have the same. Throws Error.
  Histogram(std::string_view name, std::string_view help, Labels labels = {},
            std::span<const double> bounds = duration_bounds());

  /// Any thread, several at once, each of which counts by itself. What is no number does not count.
  void observe(double value) const;

 private:
  std::uint32_t first_cell_;
  /// Of its family, for as long as the process lives.
  std::span<const double> bounds_;
};

}  // namespace extproc::metrics
