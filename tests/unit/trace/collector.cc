#include "trace/collector.h"

#include <gtest/gtest.h>

#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <iterator>
#include <utility>

namespace extproc::trace {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Only tests that fail take so long.
constexpr std::chrono::seconds kMost{20};

std::size_t content_length(const std::string& head) {
  constexpr std::string_view kName = "Content-Length: ";
  const std::size_t at = head.find(kName);
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + kName.size()));
}

}  // namespace

struct Collector::Connection {
  explicit Connection(tcp::socket its) : socket(std::move(its)) {}
  tcp::socket socket;
  std::string read;
  std::string written;
};

std::string response(const std::string& status, const std::string& headers,
                     const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

Collector::Collector() : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
  accept();
  thread_ = std::thread([this] { io_.run(); });
}

Collector::~Collector() {
  io_.stop();
  thread_.join();
}

std::string Collector::url() const {
  return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/v1/traces";
}

void Collector::reply_with(std::vector<Reply> replies) {
  const std::lock_guard lock(mutex_);
  replies_.insert(replies_.end(), replies.begin(), replies.end());
}

std::vector<Collector::Request> Collector::wait_for(std::size_t count) {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, kMost, [&] { return requests_.size() >= count; }));
  return requests_;
}

std::vector<DecodedSpan> Collector::wait_for_spans(std::size_t count) {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, kMost, [&] { return spans_.size() >= count; }));
  return spans_;
}

std::size_t Collector::connections() {
  const std::lock_guard lock(mutex_);
  return connections_;
}

void Collector::accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error) return;
    {
      const std::lock_guard lock(mutex_);
      ++connections_;
    }
    open_.push_back(std::make_shared<Connection>(std::move(socket)));
    take(open_.back());
    accept();
  });
}

void Collector::take(const std::shared_ptr<Connection>& connection) {
  asio::async_read_until(
      connection->socket, asio::dynamic_buffer(connection->read), "\r\n\r\n",
      [this, connection](const error_code& error, std::size_t size) {
        if (error) return;
        Request request{connection->read.substr(0, size), {}};
        const std::size_t whole = size + content_length(request.head);
        const std::size_t there = connection->read.size();
        connection->read.resize(std::max(whole, there));
        asio::async_read(
            connection->socket,
            asio::buffer(connection->read.data() + there, connection->read.size() - there),
            [this, connection, size, whole, request = std::move(request)](const error_code& failed,
                                                                          std::size_t) mutable {
              if (failed) return;
              request.body = connection->read.substr(size, whole - size);
              connection->read.erase(0, whole);
              answer(connection, std::move(request));
            });
      });
}

void Collector::answer(const std::shared_ptr<Connection>& connection, Request request) {
  Reply reply{response("200 OK", "Content-Type: application/x-protobuf\r\n"), false};
  {
    const std::lock_guard lock(mutex_);
    if (!replies_.empty()) {
      reply = std::move(replies_.front());
      replies_.pop_front();
    }
    if (reply.response.starts_with("HTTP/1.1 200")) {
      auto decoded = decode_request(request.body).spans;
      std::ranges::move(decoded, std::back_inserter(spans_));
    }
    requests_.push_back(std::move(request));
  }
  changed_.notify_all();
  connection->written = reply.response;
  asio::async_write(
      connection->socket, asio::buffer(connection->written),
      [this, connection, closes = reply.closes](const error_code& error, std::size_t) {
        if (error) return;
        if (closes) return connection->socket.close();
        take(connection);
      });
}

}  // namespace extproc::trace
