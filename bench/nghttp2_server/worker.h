#pragma once

#include <memory>
#include <thread>

#include "buffer_pool.h"
#include "stream.h"

namespace bench::nghttp2_server {

/// A thread with an epoll loop, and the connections that were handed to it.
class Worker {
 public:
  explicit Worker(Variant variant);
  /// Takes a non-blocking socket. Any thread.
  void adopt(int fd);
  /// Serves for ever.
  void run();

 private:
  int epoll_;
  Variant variant_;
  BufferPool pool_;
};

}  // namespace bench::nghttp2_server
