// The bare nghttp2 server, version 1: the benchmark's processor on nghttp2 and epoll with nothing
// between, as little as a correct server on that library can do. It reads x-request-id out of the
// message, finds messages that are split anywhere, keeps flow control and answers wrong paths; it
// has no other status, no limits to set, no drain, no TLS, no handlers. It stays as it was first
// written, so that figures from different days can be compared: make a second one rather than
// change this.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "worker.h"

namespace {

using bench::nghttp2_server::Variant;
using bench::nghttp2_server::Worker;

const std::map<std::string, Variant, std::less<>> kVariants = {{"headers", Variant::headers},
                                                               {"buffered", Variant::buffered},
                                                               {"streamed", Variant::streamed},
                                                               {"fds", Variant::fds}};

void check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::system_category(), what);
}

int listen_unix(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("the path is too long");
  path.copy(address.sun_path, path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(fd, "socket");
  check(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  return fd;
}

int listen_tcp(const std::string& host_and_port) {
  const auto colon = host_and_port.rfind(':');
  if (colon == std::string::npos) throw std::runtime_error("--listen takes host:port or unix:path");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(host_and_port.substr(colon + 1))));
  if (inet_pton(AF_INET, host_and_port.substr(0, colon).c_str(), &address.sin_addr) != 1)
    throw std::runtime_error("the host is an IPv4 address");
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(fd, "socket");
  const int on = 1;
  check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
  check(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  return fd;
}

void serve(const std::string& address, Variant variant, unsigned threads) {
  const bool is_unix = address.starts_with("unix:");
  const int listener = is_unix ? listen_unix(address.substr(5)) : listen_tcp(address);
  check(listen(listener, SOMAXCONN), "listen");

  std::vector<std::unique_ptr<Worker>> workers;
  for (unsigned i = 0; i < threads; ++i) {
    workers.push_back(std::make_unique<Worker>(variant));
    std::thread([worker = workers.back().get()] { worker->run(); }).detach();
  }
  for (std::size_t next = 0;; next = (next + 1) % workers.size()) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) continue;
    const int on = 1;
    if (!is_unix) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    workers[next]->adopt(fd);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::string listen = "127.0.0.1:0";
    Variant variant = Variant::headers;
    unsigned threads = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
      const std::string name = argv[i];
      if (name == "--listen") listen = argv[i + 1];
      if (name == "--variant") variant = kVariants.at(argv[i + 1]);
      if (name == "--threads") threads = static_cast<unsigned>(std::stoul(argv[i + 1]));
    }
    serve(listen, variant, threads);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
}
