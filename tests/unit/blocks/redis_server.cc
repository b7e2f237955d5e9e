#include "blocks/redis_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

namespace extproc::redis {
namespace {

constexpr int kQuietMs = 50;

::sockaddr_in loopback(unsigned short port) {
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// A connection; -1 where nobody listens.
int connected(unsigned short port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const ::sockaddr_in address = loopback(port);
  if (::connect(socket, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0) {
    return socket;
  }
  ::close(socket);
  return -1;
}

/// Below those that the system gives to connections.
unsigned short some_port() {
  static std::mt19937 random{std::random_device{}()};
  return static_cast<unsigned short>(std::uniform_int_distribution<>(15'000, 31'000)(random));
}

bool is_free(unsigned short port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const ::sockaddr_in address = loopback(port);
  const bool free =
      ::bind(socket, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return free;
}

}  // namespace

RedisServer::RedisServer(std::vector<std::string> options, bool tls)
    : options_(std::move(options)), tls_(tls) {
  for (int tries = 0; tries < 5; ++tries) {
    do {
      port_ = some_port();
    } while (!is_free(port_));
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      if (tries == 4) throw;
    }
  }
}

RedisServer::~RedisServer() { kill(); }

void RedisServer::start() {
  std::vector<std::string> words = {"redis-server",
                                    "--bind",
                                    "127.0.0.1",
                                    "--save",
                                    "",
                                    "--appendonly",
                                    "no",
                                    "--daemonize",
                                    "no",
                                    "--logfile",
                                    "/dev/null",
                                    "--enable-debug-command",
                                    "yes",
                                    "--dir",
                                    "/tmp"};
  words.push_back(tls_ ? "--tls-port" : "--port");
  words.push_back(std::to_string(port_));
  if (tls_) words.insert(words.end(), {"--port", "0"});
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int failed =
      ::posix_spawnp(&process_, "redis-server", nullptr, nullptr, arguments.data(), environ);
  if (failed != 0) {
    process_ = 0;
    throw std::runtime_error("no redis-server: scripts/install.sh build installs it");
  }
  for (int tries = 0; tries < 1000; ++tries) {
    if (const int socket = connected(port_); socket >= 0) {
      ::close(socket);
      return;
    }
    int status = 0;
    if (::waitpid(process_, &status, WNOHANG) == process_) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  process_ = 0;
  throw std::runtime_error("redis-server does not start");
}

void RedisServer::kill() {
  if (process_ == 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

void RedisServer::freeze() { ::kill(process_, SIGSTOP); }
void RedisServer::thaw() { ::kill(process_, SIGCONT); }

std::string RedisServer::raw(const std::string& bytes) const {
  const int socket = connected(port_);
  std::string answer;
  if (::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) answer = "!";
  char buffer[4096];
  ::pollfd waits{.fd = socket, .events = POLLIN, .revents = 0};
  while (::poll(&waits, 1, answer.empty() ? 5'000 : kQuietMs) > 0) {
    const auto size = ::recv(socket, buffer, sizeof buffer, 0);
    if (size <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(socket);
  return answer;
}

}  // namespace extproc::redis
