#pragma once

#include <extproc/server.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>

#include "server/stats.h"

/// What the servers have in common that tests start, and talk to by signals: SIGUSR1 is a question,
/// SIGTERM and SIGINT are the end.
namespace server_program {

/// Blocks these signals for the calling thread and all that it starts from then on; they are what
/// sigwait() is to be given.
inline sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

/// All counters on one line of standard output: "stats <JSON>".
inline void print_stats(const extproc::Stats& stats) {
  std::string text;
  extproc::server::for_each_counter(
      stats, [&](const extproc::server::CounterInfo& counter, std::uint64_t value) {
        text += (text.empty() ? "\"" : ", \"") + std::string(counter.name) +
                "\": " + std::to_string(value);
      });
  std::printf("stats {%s}\n", text.c_str());
  std::fflush(stdout);
}

}  // namespace server_program
