#pragma once

#include <boost/asio/ip/tcp.hpp>

namespace echo {

/// Answers the requests of one connection, one after another, until the peer ends it. The session owns itself.
void serve_connection(boost::asio::ip::tcp::socket socket);

}  // namespace echo
