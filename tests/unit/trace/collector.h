#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "trace/decode.h"

namespace extproc::trace {

/// What a collector does with a request, in place of taking it.
struct Reply {
  /// The response as bytes; empty: none comes, and the connection stays open.
  std::string response;
  bool closes = false;
};

/// Takes spans on a port of the loopback, as a thread of its own.
class Collector {
 public:
  /// A request that came whole: its header as it is, and its body.
  struct Request {
    std::string head;
    std::string body;
  };

  Collector();
  ~Collector();

  std::string url() const;
  /// What it does with the next requests; with those behind them it is as always.
  void reply_with(std::vector<Reply> replies);
  /// Waits until so many came, and gives those.
  std::vector<Request> wait_for(std::size_t count);
  /// Waits until so many spans were taken, by responses of 200, and gives those.
  std::vector<DecodedSpan> wait_for_spans(std::size_t count);
  std::size_t connections();

 private:
  struct Connection;

  void accept();
  void take(const std::shared_ptr<Connection>& connection);
  void answer(const std::shared_ptr<Connection>& connection, Request request);

  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::vector<std::shared_ptr<Connection>> open_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Reply> replies_;
  std::vector<Request> requests_;
  std::vector<DecodedSpan> spans_;
  std::size_t connections_ = 0;
  std::thread thread_;
};

std::string response(const std::string& status, const std::string& headers = {},
                     const std::string& body = {});

}  // namespace extproc::trace
