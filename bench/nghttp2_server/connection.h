#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <memory>
#include <string>

#include "buffer_pool.h"
#include "stream.h"

namespace bench::nghttp2_server {

/// One HTTP/2 connection on a non-blocking socket, which it owns.
class Connection {
 public:
  Connection(int fd, Variant variant, BufferPool& pool);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }
  /// Reads, answers and writes. False when the connection is over.
  bool on_readable();
  /// The same for writing alone.
  bool flush();
  /// The socket takes no more: flush() is due when it does, on_readable() not before.
  bool blocked() const { return !written_all_; }

 private:
  friend struct ConnectionCallbacks;
  struct Delete {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  bool fill();
  void answer(std::int32_t id, Stream& stream);

  int fd_;
  Variant variant_;
  BufferPool& pool_;
  std::unique_ptr<nghttp2_session, Delete> session_;
  std::string out_;
  std::size_t out_sent_ = 0;
  bool written_all_ = true;
};

}  // namespace bench::nghttp2_server
