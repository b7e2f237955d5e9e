// The filter in a fake Envoy: who goes when, in every order.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "filter/fake_envoy.h"
#include "filter/test_processors.h"

namespace extproc::fake {
namespace {

using namespace std::chrono_literals;

constexpr const char* kProcessors[] = {"Changes", "Waits", "Blocks", "Shouts", "Decides", "Falls"};
constexpr const char* kModes[] = {"BUFFERED", "STREAMED", "BUFFERED_PARTIAL"};

std::string config_of(const std::string& processor, const std::string& mode, bool allow) {
  const bool whole = processor == "Shouts" || processor == "Decides";
  const std::string body = whole ? "STREAMED" : mode;
  return R"({"processors": [{"name": ")" + processor + R"("}], "failure_mode_allow": )" +
         (allow ? "true" : "false") + R"(, "processing_mode": {"request_body_mode": ")" + body +
         R"(", "response_body_mode": ")" + body + R"("}})";
}

bool changes(const std::string& processor) {
  return processor != "Decides" && processor != "Falls";
}

/// A request through one stream, event by event, as chance has it.
class Ride {
 public:
  Ride(Worker& worker, std::shared_ptr<Config> config, std::string processor, std::mt19937& random)
      : processor_(std::move(processor)), random_(random) {
    Headers headers{{":method", "POST"}, {":path", "/"}, {"x-ms", std::to_string(below(3))}};
    stream_ = Stream::make(worker, std::move(config), std::move(headers), {.buffer_limit = 64});
    if (below(8) == 0) stream_->destroy_within_reply();
    if (below(16) == 0) stream_->destroy_within_continue();
    for (int way = 0; way < 2; ++way) {
      const std::size_t chunks = below(4);
      for (std::size_t i = 0; i < chunks; ++i)
        chunks_[way].push_back(std::string(1 + below(20), 'a'));
      trailers_[way] = below(3) == 0;
    }
    leaves_ = below(3) == 0 ? below(10) : 1000;
  }

  /// One more thing happens. False when nothing is left to.
  bool step() {
    if (stream_->destroyed() || over()) return false;
    if (steps_++ == leaves_) {
      stream_->destroy();
      return false;
    }
    const int way = at_[0] == Stage::done && stream_->upstream().ended ? 1 : 0;
    if (at_[way] == Stage::done) return true;
    advance(way);
    return true;
  }

  void check() const {
    if (stream_->destroyed() || stream_->reply()) return;
    for (const auto& [way, passed] :
         {std::pair(0, &stream_->upstream()), std::pair(1, &stream_->downstream())}) {
      std::string all;
      for (const std::string& chunk : chunks_[way]) all += chunk;
      const std::string other = changes(processor_) ? upper(all) : all;
      // Behind what a buffer takes the rest goes on as it is.
      EXPECT_EQ(upper(passed->body), upper(all)) << processor_ << " " << way;
      if (all.size() < 64) {
        EXPECT_EQ(passed->body, other) << processor_ << " " << way;
      }
    }
  }
  bool over() const { return stream_->reply() || stream_->downstream().ended; }
  void destroy() { stream_->destroy(); }

 private:
  enum class Stage { headers, body, trailers, done };

  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }

  void advance(int way) {
    auto& chunks = chunks_[way];
    const bool last_is_body = !trailers_[way];
    if (at_[way] == Stage::headers) {
      const bool end = chunks.empty() && last_is_body;
      at_[way] = end ? Stage::done : Stage::body;
      if (way == 0) return stream_->request_headers(end);
      return stream_->response_headers({{":status", "200"}}, end);
    }
    if (told_[way] < chunks.size()) {
      const std::string& chunk = chunks[told_[way]++];
      const bool end = told_[way] == chunks.size() && last_is_body;
      if (end) at_[way] = Stage::done;
      return way == 0 ? stream_->request_body(chunk, end) : stream_->response_body(chunk, end);
    }
    at_[way] = Stage::done;
    way == 0 ? stream_->request_trailers({{"x-t", "1"}})
             : stream_->response_trailers({{"x-t", "1"}});
  }

  const std::string processor_;
  std::mt19937& random_;
  std::shared_ptr<Stream> stream_;
  std::vector<std::string> chunks_[2];
  bool trailers_[2] = {};
  Stage at_[2] = {Stage::headers, Stage::headers};
  std::size_t told_[2] = {};
  std::size_t steps_ = 0;
  std::size_t leaves_ = 0;
};

/// Rides of several requests at once on one worker; the configuration goes while the last of them
/// are under way.
void ride_together(Worker& worker, unsigned seed, int times) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  for (int time = 0; time < times; ++time) {
    const std::string processor = kProcessors[below(std::size(kProcessors))];
    auto config = std::make_shared<Config>(
        config_of(processor, kModes[below(std::size(kModes))], below(2) == 0));
    ASSERT_TRUE(config->taken());
    worker.run_until([] { return false; }, 2ms);
    std::vector<std::unique_ptr<Ride>> rides;
    for (std::size_t i = 0; i < 4; ++i)
      rides.push_back(std::make_unique<Ride>(worker, config, processor, random));
    config.reset();
    for (int step = 0; step < 40; ++step) {
      rides[below(rides.size())]->step();
      if (below(2) == 0) worker.run_posted();
      if (below(8) == 0) std::this_thread::sleep_for(1ms);
    }
    const bool ends = below(2) == 0;
    const auto all_over = [&] {
      return std::ranges::all_of(rides, [](auto& ride) { return !ride->step() || ride->over(); });
    };
    if (ends) {
      EXPECT_TRUE(worker.run_until(all_over, 10s)) << processor << " seed " << seed;
      for (const auto& ride : rides) ride->check();
    }
    for (const auto& ride : rides) ride->destroy();
  }
}

void expect_nothing_left(Worker& worker) {
  EXPECT_TRUE(worker.run_until([] { return seen().handlers == 0 && seen().alive == 0; }))
      << seen().handlers << " " << seen().alive;
  EXPECT_EQ(schedulers(), 0);
  EXPECT_EQ(kit::calls_on_wrong_threads(), 0);
}

TEST(Lifetimes, EveryOrderOfOneWorker) {
  seen().reset();
  Worker worker;
  for (unsigned seed = 0; seed < 60; ++seed) ride_together(worker, seed, 4);
  expect_nothing_left(worker);
}

TEST(Lifetimes, SeveralWorkers) {
  seen().reset();
  std::vector<std::thread> threads;
  for (unsigned index = 0; index < 3; ++index) {
    threads.emplace_back([index] {
      Worker worker(index);
      ride_together(worker, 1000 + index, 40);
    });
  }
  for (auto& thread : threads) thread.join();
  Worker last;
  expect_nothing_left(last);
}

TEST(Lifetimes, OneConfigurationOfSeveralWorkers) {
  seen().reset();
  for (const char* processor : {"Waits", "Blocks", "Shouts"}) {
    auto config = std::make_shared<Config>(config_of(processor, "STREAMED", false));
    ASSERT_TRUE(config->taken());
    std::this_thread::sleep_for(20ms);
    std::vector<std::thread> threads;
    for (unsigned index = 0; index < 3; ++index) {
      threads.emplace_back([index, config, processor] {
        Worker worker(index);
        std::mt19937 random(index);
        for (int i = 0; i < 60; ++i) {
          Ride ride(worker, config, processor, random);
          worker.run_until([&] { return !ride.step() || ride.over(); }, 10s);
          ride.check();
          ride.destroy();
        }
      });
    }
    config.reset();
    for (auto& thread : threads) thread.join();
  }
  Worker last;
  expect_nothing_left(last);
}

// Nobody is there while a handler of one that left returns, and then there is another.
TEST(Lifetimes, WhatIsLeftKeepsToItsThread) {
  seen().reset();
  Worker worker;
  auto config = std::make_shared<Config>(config_of("Waits", "BUFFERED", false));
  for (int i = 0; i < 300; ++i) {
    const auto left = Stream::make(worker, config, {{":path", "/"}, {"x-ms", "1"}});
    left->request_headers(true);
    left->destroy();
    std::this_thread::sleep_for(std::chrono::microseconds(900 + i));
    const auto next = Stream::make(worker, config, {{":path", "/"}, {"x-ms", "0"}});
    next->request_headers(true);
    EXPECT_TRUE(worker.run_until([&] { return next->upstream().ended; }));
    next->destroy();
  }
  config.reset();
  expect_nothing_left(worker);
}

// The workers are gone, and so is the configuration: what still waits is ended with the process.
TEST(Lifetimes, AWorkerThatIsGoneIsAskedForNothing) {
  seen().reset();
  for (const char* processor : {"Waits", "Blocks", "Falls"}) {
    auto worker = std::make_unique<Worker>();
    auto config = std::make_shared<Config>(config_of(processor, "BUFFERED", false));
    std::this_thread::sleep_for(20ms);
    std::vector<std::shared_ptr<Stream>> streams;
    for (int i = 0; i < 20; ++i) {
      streams.push_back(Stream::make(*worker, config, {{":path", "/"}, {"x-ms", "20"}}));
      streams.back()->request_headers(true);
    }
    for (const auto& stream : streams) stream->destroy();
    streams.clear();
    worker.reset();
    config.reset();
  }
  Worker last;
  expect_nothing_left(last);
}

}  // namespace
}  // namespace extproc::fake
