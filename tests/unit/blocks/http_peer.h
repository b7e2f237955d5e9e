#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace extproc::client {

/// What a test's server answers.
struct Answer {
  std::string bytes{};
  /// It waits so long before.
  std::chrono::milliseconds after{0};
  /// The connection ends behind it.
  bool closes = false;
};

/// An HTTP server that says what a test wants, a thread for each connection.
class HttpPeer {
 public:
  /// `answer` is asked with each request, as it came, and the number of its connection, from 1. In
  /// PEM: for TLS.
  using Answering = std::function<Answer(const std::string& request, int connection)>;
  struct Pem {
    std::string certificate;
    std::string key;
    /// Of who may ask; empty: anybody.
    std::string client_ca{};
  };
  explicit HttpPeer(Answering answer, std::optional<Pem> pem = std::nullopt);
  ~HttpPeer();

  unsigned short port() const { return port_; }
  std::string url(const std::string& path = "/") const;
  int connections() const { return connections_; }
  std::vector<std::string> requests();
  /// Ends the connections that there are.
  void hang_up();

 private:
  void accept();
  void serve(int number, boost::asio::ip::tcp::socket& socket);
  template <class Stream>
  void serve_on(int number, Stream& stream);
  bool wait(std::chrono::milliseconds time);

  const Answering answer_;
  boost::asio::io_context io_;
  std::optional<boost::asio::ssl::context> tls_;
  boost::asio::ip::tcp::acceptor acceptor_;
  unsigned short port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_thread_;
};

/// A response with what HTTP wants of it.
std::string ok(const std::string& body, const std::string& headers = "");

}  // namespace extproc::client
