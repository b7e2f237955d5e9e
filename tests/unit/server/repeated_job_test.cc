#include "server/repeated_job.h"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <thread>

namespace extproc::server {
namespace {

using namespace std::chrono_literals;

TEST(RepeatedJob, IsDoneOnceMoreForAllThatAskMeanwhile) {
  std::atomic<int> done = 0;
  std::counting_semaphore<> begun(0);
  std::counting_semaphore<> go_on(0);
  RepeatedJob job([&] {
    begun.release();
    go_on.acquire();
    ++done;
  });
  job.ask();
  begun.acquire();
  for (int i = 0; i < 5; ++i) job.ask();
  EXPECT_FALSE(job.end(1ms));
  go_on.release();
  EXPECT_TRUE(job.end(10s));
  // Its end came first.
  EXPECT_EQ(done, 1);
}

TEST(RepeatedJob, IsDoneAgain) {
  std::counting_semaphore<> done(0);
  RepeatedJob job([&] { done.release(); });
  for (int i = 0; i < 3; ++i) {
    job.ask();
    done.acquire();
  }
  EXPECT_TRUE(job.end(10s));
  job.ask();
  EXPECT_FALSE(done.try_acquire_for(10ms));
}

TEST(RepeatedJob, MayNeverBeAsked) {
  RepeatedJob job([] {});
  EXPECT_TRUE(job.end(0ms));
}

}  // namespace
}  // namespace extproc::server
