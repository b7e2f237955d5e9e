#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace echo {

/// A connection whose handlers all run on the thread of one io_context: no strand, no type-erased
/// executor.
using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// Answers the requests of one connection, one after another, until the peer ends it. The session
/// owns itself.
void serve_connection(Socket socket);

}  // namespace echo
