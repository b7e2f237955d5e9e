#include "driver.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace bench::load {

Driver::Driver(const Options& options, const Script& script, Listener& listener)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  const Connector connect = connector(options.connect, options.tls_ca);
  for (std::size_t i = 0; i < options.connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(connect(), script, listener));
    epoll_event event{.events = EPOLLIN, .data = {.ptr = connections_.back().get()}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_.back()->fd(), &event);
  }
}

Driver::~Driver() { close(epoll_); }

void Driver::step(int timeout_ms) {
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    run(*static_cast<Connection*>(event.data.ptr), (event.events & ~EPOLLOUT) != 0);
  }
}

void Driver::flush_all() {
  for (const auto& connection : connections_) run(*connection, false);
}

void Driver::run(Connection& connection, bool readable) {
  const bool was_blocked = connection.blocked();
  if (!connection.run(readable)) throw std::runtime_error("a connection was lost");
  if (connection.blocked() == was_blocked) return;
  const std::uint32_t wanted = connection.blocked() ? EPOLLIN | EPOLLOUT : EPOLLIN;
  epoll_event event{.events = wanted, .data = {.ptr = &connection}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd(), &event);
}

}  // namespace bench::load
