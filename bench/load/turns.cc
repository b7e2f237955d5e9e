// Several servers of HTTP/1.1 on this machine, compared request by request: each has one
// connection, and they take turns of a few requests, so that what else the machine does meets all
// of them alike.
//
//   bench_turns TURNS REQUESTS BODY_BYTES PID PORT...
//
// TURNS turns of each port, of REQUESTS requests; prints for each port a line of JSON: what
// bench_load says, and the CPU of the process.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "report.h"

namespace {

using Clock = std::chrono::steady_clock;

/// As time.clock_gettime() has it in lib/meter.py: of all threads of a process.
double cpu_seconds(int pid) {
  constexpr unsigned kScheduler = 2;
  timespec now{};
  const auto clock = static_cast<clockid_t>((~static_cast<unsigned>(pid) << 3) | kScheduler);
  if (clock_gettime(clock, &now) != 0) throw std::runtime_error("there is no such process");
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class Caller {
 public:
  explicit Caller(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): how the system takes addresses
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error("nobody listens on port " + std::to_string(port));
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  void call(std::string_view request) {
    if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
      throw std::runtime_error("a request could not be sent");
    came_.clear();
    std::size_t whole = 0;
    while (whole == 0 || came_.size() < whole) {
      const ssize_t size = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
      if (size <= 0) throw std::runtime_error("the connection ended");
      came_.append(buffer_.data(), static_cast<std::size_t>(size));
      if (whole == 0) whole = whole_size();
    }
    if (!came_.starts_with("HTTP/1.1 200 ") || came_.size() != whole)
      throw std::runtime_error("a wrong answer: " + came_.substr(0, 200));
  }

 private:
  /// Of the response; 0 while its headers are not all there.
  std::size_t whole_size() const {
    constexpr std::string_view kEnd = "\r\n\r\n";
    constexpr std::string_view kLength = "\r\ncontent-length: ";
    const std::size_t end = came_.find(kEnd);
    if (end == std::string::npos) return 0;
    const std::size_t at = came_.find(kLength);
    std::size_t length = 0;
    if (at > end ||
        std::from_chars(came_.data() + at + kLength.size(), came_.data() + end, length).ec !=
            std::errc())
      throw std::runtime_error("an answer without a content-length");
    return end + kEnd.size() + length;
  }

  int fd_;
  std::string came_;
  std::vector<char> buffer_ = std::vector<char>(1 << 16);
};

/// A port and what its turns found out.
struct Way {
  Caller caller;
  bench::load::Report report{};
  double seconds = 0;
  double cpu = 0;
};

std::size_t number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument(std::string(text) + " is no number");
  return value;
}

void take_turn(Way& way, std::string_view request, std::size_t requests, int pid) {
  // The first find its code and data where the others' were.
  constexpr int kUncounted = 5;
  for (int i = 0; i < kUncounted; ++i) way.caller.call(request);
  const double cpu = cpu_seconds(pid);
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < requests; ++i) {
    const auto sent = Clock::now();
    way.caller.call(request);
    way.report.add_latency(Clock::now() - sent);
    ++way.report.completed;
  }
  way.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
  way.cpu += cpu_seconds(pid) - cpu;
}

void run(std::span<char*> arguments) {
  constexpr std::size_t kFixed = 4;
  if (arguments.size() <= kFixed)
    throw std::invalid_argument("usage: bench_turns TURNS REQUESTS BODY_BYTES PID PORT...");
  const std::size_t turns = number(arguments[0]);
  const std::size_t requests = number(arguments[1]);
  const std::size_t body = number(arguments[2]);
  const int pid = static_cast<int>(number(arguments[3]));
  std::vector<Way> ways;
  for (const char* port : arguments.subspan(kFixed))
    ways.push_back({Caller(static_cast<std::uint16_t>(number(port)))});
  std::string request = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
  if (body > 0)
    request = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: " + std::to_string(body) +
              "\r\n\r\n" + std::string(body, 'a');
  for (std::size_t turn = 0; turn < turns; ++turn) {
    // To and fro.
    for (std::size_t i = 0; i < ways.size(); ++i)
      take_turn(ways[turn % 2 == 0 ? i : ways.size() - 1 - i], request, requests, pid);
  }
  for (Way& way : ways)
    std::cout << "{\"cpu_seconds\": " << way.cpu
              << ", \"done\": " << way.report.to_json(way.seconds) << "}\n";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run({argv + 1, static_cast<std::size_t>(argc - 1)});
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}
