#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <string>
#include <utility>
#include <vector>

#include "blocks/http_peer.h"
#include "extproc/client.h"

namespace extproc::client {

inline std::string name_of(Reason reason) {
  constexpr const char* kNames[] = {"request", "name",     "connect", "tls",        "time",
                                    "closed",  "protocol", "size",    "overloaded", "shut_down"};
  return kNames[static_cast<int>(reason)];
}

/// "200 body", or "!reason", with a + where it may have been sent.
inline boost::asio::awaitable<void> ask_into(Client& client, Request request,
                                             std::string& outcome) {
  try {
    const Response response = co_await client.send(std::move(request));
    outcome = std::to_string(response.status) + " " + response.body;
  } catch (const Failure& failure) {
    outcome = "!" + name_of(failure.reason()) + (failure.sent() ? "+" : "");
  } catch (const boost::system::system_error& error) {
    outcome = "!" + error.code().message();
  }
}

/// One loop; behind each call nothing of the client is left in it.
struct Loop {
  boost::asio::io_context io{1};

  std::string ask(Client& client, Request request) {
    return ask_all(client, {std::move(request)}).front();
  }
  std::string get(Client& client, const std::string& url) { return ask(client, {.url = url}); }
  std::vector<std::string> ask_all(Client& client, std::vector<Request> requests) {
    std::vector<std::string> outcomes(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      boost::asio::co_spawn(io, ask_into(client, std::move(requests[i]), outcomes[i]),
                            boost::asio::detached);
    }
    io.restart();
    io.run();
    return outcomes;
  }
};

inline HttpPeer::Answering always(std::string bytes) {
  return [bytes = std::move(bytes)](const std::string&, int) { return Answer{.bytes = bytes}; };
}

}  // namespace extproc::client
