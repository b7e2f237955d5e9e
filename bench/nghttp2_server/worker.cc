#include "worker.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "connection.h"

namespace bench::nghttp2_server {

Worker::Worker(Variant variant) : epoll_(epoll_create1(EPOLL_CLOEXEC)), variant_(variant) {
  if (epoll_ < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
}

void Worker::adopt(int fd) {
  // The connection belongs to this worker's thread from the moment that epoll knows it.
  epoll_event event{.events = EPOLLIN, .data = {.ptr = new Connection(fd, variant_, pool_)}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void Worker::run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      const bool was_blocked = connection->blocked();
      const bool open = was_blocked ? connection->flush() : connection->on_readable();
      if (!open) {
        delete connection;
      } else if (connection->blocked() != was_blocked) {
        const std::uint32_t wanted = connection->blocked() ? EPOLLOUT : EPOLLIN;
        epoll_event event{.events = wanted, .data = {.ptr = connection}};
        epoll_ctl(epoll_, EPOLL_CTL_MOD, connection->fd(), &event);
      }
    }
  }
}

}  // namespace bench::nghttp2_server
