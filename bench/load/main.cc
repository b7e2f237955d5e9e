// The load that h2load cannot make, as Envoy would: each message waits for the answers that it has
// to wait for, and a stream ends with END_STREAM and RST_STREAM once its last answer has come.
//
//   bench_load run  --connect ADDRESS --count N ...   runs N streams; prints JSON
//   bench_load rate --connect ADDRESS --rate N --seconds N ...   N streams a second; see rate.h
//   bench_load idle --connect ADDRESS --count N ...   holds N streams; see idle.h
//
// With --tls-ca FILE all of that is over TLS.
#include <exception>
#include <iostream>

#include "driver.h"
#include "idle.h"
#include "options.h"
#include "rate.h"
#include "report.h"

namespace {

using namespace bench::load;

/// Keeps `concurrency` streams going until `count` are done.
class Run final : public Listener {
 public:
  explicit Run(const Options& options)
      : options_(options), script_(options.parts), driver_(options, script_, *this) {}

  std::string run() {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < options_.concurrency; ++i)
      open_next(driver_.at(i % driver_.size()));
    driver_.flush_all();
    while (report_.completed + report_.failed < opened_) {
      driver_.step(1000);
      if (options_.seconds > 0 && elapsed(start) > options_.seconds) over_ = true;
    }
    return report_.to_json(elapsed(start));
  }

  bool failed() const { return report_.failed != 0; }

 private:
  static double elapsed(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  void open_next(Connection& connection) {
    if (over_ || opened_ == options_.count) return;
    ++opened_;
    connection.open();
  }

  void on_answer(Connection& connection, Stream& stream) override {
    if (stream.answers < script_.steps().size()) return;
    report_.add_latency(Clock::now() - stream.opened);
    connection.finish(stream);
  }

  void on_closed(Connection& connection, const Stream& stream) override {
    const bool complete = stream.answers == script_.steps().size() && !stream.failed;
    ++(complete ? report_.completed : report_.failed);
    open_next(connection);
  }

  const Options& options_;
  Script script_;
  Report report_;
  std::size_t opened_ = 0;
  bool over_ = false;
  Driver driver_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse_options(argc, argv);
    if (options.mode == "idle") {
      run_idle(options);
      return 0;
    }
    if (options.mode == "rate") {
      run_rate(options, std::cout);
      return 0;
    }
    Run run(options);
    std::cout << run.run() << std::endl;
    return run.failed() ? 1 : 0;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}
