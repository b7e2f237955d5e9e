#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "script.h"
#include "socket.h"
#include "stream.h"

namespace bench::load {

class Connection;

/// Who hears what becomes of streams; from inside of Connection::run, where it may open and finish
/// others.
class Listener {
 public:
  /// A further answer is complete.
  virtual void on_answer(Connection& connection, Stream& stream) = 0;
  /// The stream is gone, and the memory with it.
  virtual void on_closed(Connection& connection, const Stream& stream) = 0;

 protected:
  ~Listener() = default;
};

/// An HTTP/2 client connection with gRPC calls that follow a script. Flow control is nghttp2's.
class Connection {
 public:
  Connection(std::unique_ptr<Socket> socket, const Script& script, Listener& listener);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return socket_->fd(); }
  /// Opens a call, whose first message is sent with it.
  Stream& open();
  /// Ends a call as Envoy does: END_STREAM, then RST_STREAM.
  void finish(Stream& stream);
  /// Gives it up, as Envoy does when its message_timeout is over.
  void reset(Stream& stream);
  /// Reads what there is, if `readable`, and writes what can be written. False when the connection
  /// was lost.
  bool run(bool readable);
  /// There is more to write than the socket takes.
  bool blocked() const { return out_sent_ < out_.size(); }

 private:
  friend struct ConnectionCallbacks;
  struct Delete {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  bool flush();
  void on_data(Stream& stream, std::string_view chunk);
  void complete_answer(Stream& stream);

  const Script& script_;
  Listener& listener_;
  std::unique_ptr<Socket> socket_;
  std::string out_;
  std::size_t out_sent_ = 0;
  std::unique_ptr<nghttp2_session, Delete> session_;
};

}  // namespace bench::load
