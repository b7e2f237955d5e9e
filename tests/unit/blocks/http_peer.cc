#include "blocks/http_peer.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

namespace extproc::client {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

HttpPeer::HttpPeer(Answering answer, std::optional<Pem> pem)
    : answer_(std::move(answer)),
      acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()) {
  if (pem) {
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->use_certificate_chain(asio::buffer(pem->certificate));
    tls_->use_private_key(asio::buffer(pem->key), asio::ssl::context::pem);
    if (!pem->client_ca.empty()) {
      tls_->add_certificate_authority(asio::buffer(pem->client_ca));
      tls_->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    }
  }
  acceptor_thread_ = std::thread([this] { accept(); });
}

HttpPeer::~HttpPeer() {
  ended_ = true;
  ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
  acceptor_thread_.join();
  hang_up();
  for (std::thread& thread : threads_) thread.join();
}

std::string HttpPeer::url(const std::string& path) const {
  return std::string(tls_ ? "https" : "http") + "://localhost:" + std::to_string(port_) + path;
}

std::vector<std::string> HttpPeer::requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void HttpPeer::hang_up() {
  const std::lock_guard lock(mutex_);
  for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
}

void HttpPeer::accept() {
  while (!ended_) {
    error_code error;
    tcp::socket socket(io_);
    acceptor_.accept(socket, error);
    if (error) continue;
    const int number = ++connections_;
    const std::lock_guard lock(mutex_);
    open_.push_back(socket.native_handle());
    threads_.emplace_back([this, number, socket = std::move(socket)]() mutable {
      const int handle = socket.native_handle();
      serve(number, socket);
      const std::lock_guard closing(mutex_);
      std::erase(open_, handle);
      socket.close();
    });
  }
}

void HttpPeer::serve(int number, tcp::socket& socket) {
  if (!tls_) return serve_on(number, socket);
  asio::ssl::stream<tcp::socket&> stream(socket, *tls_);
  error_code error;
  stream.handshake(asio::ssl::stream_base::server, error);
  if (!error) serve_on(number, stream);
}

template <class Stream>
void HttpPeer::serve_on(int number, Stream& stream) {
  std::string bytes;
  while (true) {
    error_code error;
    const std::size_t head =
        asio::read_until(stream, asio::dynamic_buffer(bytes), "\r\n\r\n", error);
    if (error) return;
    std::size_t body = 0;
    if (const auto at = bytes.find("\r\ncontent-length: "); at < head) {
      body = std::stoul(bytes.substr(at + 18));
    }
    if (bytes.size() < head + body) {
      asio::read(stream, asio::dynamic_buffer(bytes),
                 asio::transfer_exactly(head + body - bytes.size()), error);
    }
    if (error) return;
    const std::string request = bytes.substr(0, head + body);
    bytes.erase(0, head + body);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const Answer answer = answer_(request, number);
    if (!wait(answer.after)) return;
    asio::write(stream, asio::buffer(answer.bytes), error);
    if (error || answer.closes) return;
  }
}

bool HttpPeer::wait(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until && !ended_) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return !ended_;
}

std::string ok(const std::string& body, const std::string& headers) {
  return "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n" + headers +
         "\r\n" + body;
}

}  // namespace extproc::client
