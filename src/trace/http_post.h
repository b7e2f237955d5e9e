#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "extproc/trace_settings.h"
#include "trace/endpoint.h"

namespace extproc::trace {

/// What came of a POST.
struct Posted {
  /// The response's; 0 where there was none, and `failure` says why.
  unsigned status = 0;
  std::string failure{};
  /// Of the response.
  std::optional<std::chrono::seconds> retry_after{};
  std::string body{};

  bool taken() const { return status >= 200 && status < 300; }
  /// The same may be taken later.
  bool is_to_be_repeated() const {
    return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
  }
};

/// Posts one request after the other over a connection that is kept. On one event loop.
class HttpPoster {
 public:
  /// `io` must outlive it.
  HttpPoster(boost::asio::io_context& io, const TraceSettings& settings);
  ~HttpPoster();

  const Endpoint& endpoint() const { return endpoint_; }
  /// One at a time. It is over when TraceSettings::timeout is, but for looking up a name.
  boost::asio::awaitable<Posted> post(std::string body);
  /// What is under way fails, and all that follows.
  void close();

 private:
  struct Connection;

  boost::asio::awaitable<std::string> connect();
  boost::asio::awaitable<Posted> exchange(const std::string& body);

  boost::asio::io_context& io_;
  const Endpoint endpoint_;
  const std::vector<std::pair<std::string, std::string>> headers_;
  const std::chrono::milliseconds timeout_;
  std::unique_ptr<Connection> connection_;
  bool closed_ = false;
};

}  // namespace extproc::trace
