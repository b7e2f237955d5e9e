#include "idle.h"

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "driver.h"

namespace bench::load {
namespace {

constexpr std::size_t kOpeningAtOnce = 200;

class Idle final : public Listener {
 public:
  explicit Idle(const Options& options)
      : options_(options), script_(options.parts), driver_(options, script_, *this) {}

  void open_all() {
    const auto start = Clock::now();
    while (answered_ < options_.count) {
      if (options_.seconds > 0 &&
          Clock::now() - start > std::chrono::duration<double>(options_.seconds))
        throw std::runtime_error("only " + std::to_string(answered_) +
                                 " streams were answered in time");
      while (opened_ < options_.count && opened_ - answered_ < kOpeningAtOnce) {
        driver_.at(opened_ % driver_.size()).open();
        ++opened_;
      }
      driver_.flush_all();
      driver_.step(1000);
      if (wrong_ != nullptr) throw std::runtime_error(wrong_);
    }
  }

  void close_all() {
    closing_ = true;
    for (const auto& [stream, connection] : streams_) connection->finish(*stream);
    while (closed_ < streams_.size()) {
      driver_.flush_all();
      driver_.step(1000);
    }
  }

 private:
  void on_answer(Connection& connection, Stream& stream) override {
    if (stream.failed) wrong_ = "a wrong answer";
    ++answered_;
    streams_.emplace_back(&stream, &connection);
  }
  void on_closed(Connection&, const Stream&) override {
    if (!closing_) wrong_ = "a stream was ended by the server";
    ++closed_;
  }

  const Options& options_;
  Script script_;
  std::size_t opened_ = 0;
  std::size_t answered_ = 0;
  std::size_t closed_ = 0;
  bool closing_ = false;
  const char* wrong_ = nullptr;  // nothing may be thrown through nghttp2
  std::vector<std::pair<Stream*, Connection*>> streams_;
  Driver driver_;
};

void wait_for_line() {
  std::string line;
  std::getline(std::cin, line);
}

}  // namespace

void run_idle(const Options& options) {
  Idle idle(options);
  idle.open_all();
  std::cout << "open" << std::endl;
  wait_for_line();
  idle.close_all();
  std::cout << "closed" << std::endl;
  wait_for_line();
}

}  // namespace bench::load
