// The upstream of the examples: an HTTP/1.1 server that answers each request with a JSON
// description of what it saw.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "session.h"

namespace echo {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Accepts on the first thread and deals the connections out in turn.
class Server {
 public:
  Server(const tcp::endpoint& endpoint, unsigned threads)
      : loops_(make_loops(threads)), acceptor_(*loops_[0]) {
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
  }

  /// Serves until SIGTERM or SIGINT.
  void run() {
    asio::signal_set signals(*loops_[0], SIGTERM, SIGINT);
    signals.async_wait([this](boost::system::error_code, int) { stop(); });
    accept();
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < loops_.size(); ++i)
      threads.emplace_back([this, i] { run_loop(*loops_[i]); });
    run_loop(*loops_[0]);
  }

 private:
  using Loops = std::vector<std::unique_ptr<asio::io_context>>;

  static Loops make_loops(unsigned count) {
    Loops loops;
    for (unsigned i = 0; i < count; ++i) loops.push_back(std::make_unique<asio::io_context>(1));
    return loops;
  }

  static void run_loop(asio::io_context& loop) {
    const auto work = asio::make_work_guard(loop);
    loop.run();
  }

  void accept() {
    asio::io_context& loop = *loops_[next_loop_++ % loops_.size()];
    acceptor_.async_accept(loop, [this, &loop](boost::system::error_code error, Socket socket) {
      if (!error) {
        boost::system::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        asio::post(loop,
                   [socket = std::move(socket)]() mutable { serve_connection(std::move(socket)); });
      }
      accept();
    });
  }

  void stop() {
    for (const auto& loop : loops_) loop->stop();
  }

  Loops loops_;
  tcp::acceptor acceptor_;
  std::size_t next_loop_ = 0;
};

}  // namespace
}  // namespace echo

int main(int argc, char** argv) {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8081;
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  CLI::App app("Answers each HTTP request with a JSON description of it.", "echo_upstream");
  app.add_option("--address", address, "IP address to listen on")->capture_default_str();
  app.add_option("--port", port, "TCP port to listen on")->capture_default_str();
  app.add_option("--threads", threads, "Threads to serve with")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    echo::Server server({boost::asio::ip::make_address(address), port}, threads);
    std::cerr << "echo_upstream: listening on " << address << ":" << port << std::endl;
    server.run();
  } catch (const std::exception& error) {
    std::cerr << "echo_upstream: " << address << ":" << port << ": " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
