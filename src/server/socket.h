#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/error_code.hpp>
#include <string>

#include "base/unique_fd.h"

namespace extproc::server {

/// TCP and Unix domain sockets alike.
using Socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                boost::asio::io_context::executor_type>;

/// Whether a read or a write is to be tried again later.
inline bool not_ready(const boost::system::error_code& error) {
  return error == boost::asio::error::would_block || error == boost::asio::error::try_again ||
         error == boost::asio::error::interrupted;
}

/// A connection on its way from the listener to the thread that will serve it. Non-blocking.
struct AcceptedSocket {
  UniqueFd fd;
  boost::asio::generic::stream_protocol protocol;
  /// As in Context::peer().
  std::string peer;
};

}  // namespace extproc::server
