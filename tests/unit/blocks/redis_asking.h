#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <string>
#include <utility>
#include <vector>

#include "blocks/redis_server.h"
#include "extproc/redis.h"

namespace extproc::redis {

/// A value as text, or "!reason", a + where it may have been done, and why.
inline std::string shown(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null:
      return "null";
    case Value::Kind::text:
      return value.text;
    case Value::Kind::error:
      return "error " + value.text;
    case Value::Kind::integer:
      return std::to_string(value.integer);
    case Value::Kind::number:
      return std::to_string(value.number);
    case Value::Kind::boolean:
      return value.integer != 0 ? "true" : "false";
    case Value::Kind::array:
    case Value::Kind::map:
      break;
  }
  std::string all = value.kind == Value::Kind::map ? "{" : "[";
  for (const Value& item : value.items) all += (all.size() > 1 ? " " : "") + shown(item);
  return all + (value.kind == Value::Kind::map ? "}" : "]");
}

inline std::string shown(const Failure& failure) {
  constexpr const char* kNames[] = {"command", "unavailable", "lost",     "time",
                                    "error",   "overloaded",  "shut_down"};
  return "!" + std::string(kNames[static_cast<int>(failure.reason())]) +
         (failure.sent() ? "+ " : " ") + failure.what();
}

inline boost::asio::awaitable<void> ask_into(Client& client, Command command,
                                             std::string& outcome) {
  try {
    const Value value = co_await client.send(std::move(command));
    outcome = shown(value);
  } catch (const Failure& failure) {
    outcome = shown(failure);
  } catch (const boost::system::system_error& error) {
    outcome = "!" + error.code().message();
  }
}

/// One loop; behind each call nothing of the client is left in it.
struct Loop {
  boost::asio::io_context io{1};

  template <class... Args>
  std::string ask(Client& client, const Args&... args) {
    return ask_all(client, {Command(args...)}).front();
  }
  std::vector<std::string> ask_all(Client& client, std::vector<Command> commands) {
    std::vector<std::string> outcomes(commands.size());
    for (std::size_t i = 0; i < commands.size(); ++i) {
      boost::asio::co_spawn(io, ask_into(client, std::move(commands[i]), outcomes[i]),
                            boost::asio::detached);
    }
    io.restart();
    io.run();
    return outcomes;
  }
  Value value(Client& client, Command command) {
    Value value;
    boost::asio::co_spawn(
        io,
        [&]() -> boost::asio::awaitable<void> { value = co_await client.send(std::move(command)); },
        boost::asio::detached);
    io.restart();
    io.run();
    return value;
  }
};

inline Settings at(const RedisServer& server) { return {.port = server.port()}; }

}  // namespace extproc::redis
