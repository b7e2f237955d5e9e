#include "rate.h"

#include <list>
#include <ostream>
#include <random>
#include <unordered_map>

#include "driver.h"
#include "report.h"

namespace bench::load {
namespace {

class Rate final : public Listener {
 public:
  explicit Rate(const Options& options)
      : options_(options),
        script_(options.parts),
        gaps_(options.rate),
        driver_(options, script_, *this) {}

  void run(std::ostream& out) {
    const auto start = Clock::now();
    const auto end = start + seconds(options_.seconds);
    auto next = start + seconds(gaps_(random_));
    while (next < end || !open_.empty()) {
      const auto now = Clock::now();
      for (; next <= now && next < end; next += seconds(gaps_(random_))) open();
      give_up_before(now - options_.reset_after);
      driver_.flush_all();
      driver_.step(1);
    }
    out << "{\"offered\": " << offered_ << ", \"in_time\": " << report_.completed
        << ", \"reset\": " << reset_ << ", \"refused\": " << refused_
        << ", \"wrong\": " << report_.failed
        << ", \"per_second\": " << static_cast<double>(report_.completed) / options_.seconds
        << ", \"report\": " << report_.to_json(options_.seconds) << "}" << std::endl;
  }

 private:
  struct Open {
    Stream* stream;
    Connection* connection;
  };

  static Clock::duration seconds(double value) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
  }

  void open() {
    Connection& connection = driver_.at(offered_++ % driver_.size());
    Stream& stream = connection.open();
    places_[&stream] = open_.insert(open_.end(), {&stream, &connection});
  }

  void give_up_before(Clock::time_point time) {
    while (!open_.empty() && open_.front().stream->opened < time) {
      const Open oldest = open_.front();
      forget(*oldest.stream);
      ++reset_;
      oldest.connection->reset(*oldest.stream);
    }
  }

  /// False when it was before.
  bool forget(const Stream& stream) {
    const auto found = places_.find(&stream);
    if (found == places_.end()) return false;
    open_.erase(found->second);
    places_.erase(found);
    return true;
  }

  void on_answer(Connection& connection, Stream& stream) override {
    if (stream.answers < script_.steps().size() || !forget(stream)) return;
    ++(stream.failed ? report_.failed : report_.completed);
    report_.add_latency(Clock::now() - stream.opened);
    connection.finish(stream);
  }

  void on_closed(Connection&, const Stream& stream) override {
    if (forget(stream)) ++refused_;
  }

  const Options& options_;
  Script script_;
  Report report_;
  std::mt19937_64 random_{1};
  std::exponential_distribution<> gaps_;
  /// Those that are neither answered nor given up, the oldest first.
  std::list<Open> open_;
  std::unordered_map<const Stream*, std::list<Open>::iterator> places_;
  std::size_t offered_ = 0;
  std::size_t reset_ = 0;
  std::size_t refused_ = 0;
  Driver driver_;
};

}  // namespace

void run_rate(const Options& options, std::ostream& out) { Rate(options).run(out); }

}  // namespace bench::load
