#include "cli/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <initializer_list>
#include <thread>

#include "base/unique_fd.h"
#include "extproc/error.h"

namespace extproc::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{20};

/// In the child, where nothing but system calls is safe. Returns only when it fails.
void become(char* const* command, int log) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGPIPE, SIGUSR1, SIGUSR2}) std::signal(signal, SIG_DFL);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(command[0], command);
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command,
                           const std::filesystem::path& log) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& part : command) arguments.push_back(const_cast<char*>(part.c_str()));
  arguments.push_back(nullptr);
  const UniqueFd output(
      ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
  std::array<int, 2> ends{};
  if (!output || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error("cannot start " + command.front() + ": " + std::strerror(errno));
  }
  const UniqueFd failure(ends[0]);
  UniqueFd failed(ends[1]);
  pid_ = ::fork();
  if (pid_ == 0) {
    become(arguments.data(), output.get());
    const int error = errno;
    [[maybe_unused]] const auto told = ::write(failed.get(), &error, sizeof error);
    ::_exit(127);
  }
  int error = pid_ < 0 ? errno : 0;
  failed.reset();
  // The pipe closes without a word when the program has begun.
  if (pid_ > 0 && ::read(failure.get(), &error, sizeof error) > 0) ::waitpid(pid_, nullptr, 0);
  if (error != 0) throw Error("cannot start " + command.front() + ": " + std::strerror(error));
}

ChildProcess::~ChildProcess() { stop(std::chrono::milliseconds::zero()); }

const std::optional<std::string>& ChildProcess::ended() {
  int status = 0;
  if (!end_ && ::waitpid(pid_, &status, WNOHANG) == pid_) end_ = describe(status);
  return end_;
}

void ChildProcess::stop(std::chrono::milliseconds patience) {
  if (ended()) return;
  ::kill(pid_, SIGTERM);
  for (auto waited = kPoll; waited <= patience && !ended(); waited += kPoll) {
    std::this_thread::sleep_for(kPoll);
  }
  if (ended()) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  end_ = describe(status);
}

}  // namespace extproc::cli
