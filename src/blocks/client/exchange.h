#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "blocks/client/channel.h"
#include "extproc/client.h"

namespace extproc::client {

/// One request on a connection that is open, and has a deadline.
struct Exchange {
  const Settings& settings;
  const Origin& origin;
  /// As it goes out.
  const std::string& request;
  /// HEAD: no body comes, whatever the headers say.
  bool without_body = false;

  // What became of it.

  Response response{};
  /// The connection can be used again.
  bool reusable = false;
  /// It ended before a byte of a response came.
  bool never_answered = false;
};

/// Throws Failure, and operation_aborted.
boost::asio::awaitable<void> run(Channel& channel, Exchange& exchange);

}  // namespace extproc::client
