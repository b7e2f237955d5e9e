#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/client.h"
#include "extproc/export.h"

/// Redis, Valkey and whatever else speaks RESP2 or RESP3, asked from a handler that waits. Of the
/// component extproc::redis (CMake) or extproc-redis (pkg-config), which links extproc::client.
///
///   redis::Client redis_{redis::Settings::from_url("redis://127.0.0.1:6379/0")};  // a member
///   …
///   const redis::Value value = co_await redis_.command("GET", key);
///   if (!value.is_null()) … value.text …
///
/// What is awaited is a coroutine of Boost.Asio, as that of client.h.
namespace extproc::redis {

struct Settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  /// Without it: in clear text.
  std::optional<client::TlsSettings> tls{};
  /// Without a user, the password is that of the default user, or of `requirepass`.
  std::string user{};
  std::string password{};
  unsigned database = 0;
  /// For finding the address, connecting, TLS, and the server's first answers.
  std::chrono::milliseconds connect_time{1'000};
  /// For a command, from send() to the last byte of its reply, connecting included.
  std::chrono::milliseconds time{1'000};
  /// How long no connection is tried again after one failed; doubled each time, up to the second.
  /// Commands fail at once meanwhile.
  std::chrono::milliseconds least_pause{100};
  std::chrono::milliseconds most_pause{5'000};
  /// Commands that are not answered yet, and their bytes, of each of the server's threads.
  std::size_t commands = 10'000;
  std::size_t queued_bytes = std::size_t{64} << 20;
  /// What a reply takes in memory. A larger one ends the connection.
  std::size_t reply_bytes = std::size_t{16} << 20;

  /// "redis://[[user]:password@]host[:port][/database]", or "rediss://" for TLS; user and password
  /// percent-encoded. Throws Error, which never has the password in it.
  EXTPROC_API static Settings from_url(std::string_view url);
};

/// A reply, or a part of one.
struct Value {
  enum class Kind : std::uint8_t {
    null,
    /// A string of either kind, with a big number or a verbatim one: `text`.
    text,
    /// `text` is "CODE what is wrong".
    error,
    integer,
    number,
    /// `integer` is 0 or 1.
    boolean,
    /// `items`; a set as well.
    array,
    /// `items`: key, value, key, value.
    map,
  };

  Kind kind = Kind::null;
  std::string text{};
  std::int64_t integer = 0;
  double number = 0;
  std::vector<Value> items{};

  bool is_null() const { return kind == Kind::null; }
  bool is_error() const { return kind == Kind::error; }
  /// "OK", as most commands answer that have nothing else to say.
  bool is_ok() const { return kind == Kind::text && text == "OK"; }

  friend bool operator==(const Value&, const Value&) = default;
};

/// A command with its arguments, as bytes: nothing needs to be quoted.
class Command {
 public:
  /// Of strings and whole numbers: Command("SET", key, value, "PX", 500).
  template <class... Args>
  explicit Command(std::string_view name, const Args&... args) {
    start(name, sizeof...(args));
    (add(args), ...);
  }
  /// Of as many arguments as there are; at least the name.
  explicit Command(const std::vector<std::string>& words) {
    start(words.empty() ? std::string_view() : std::string_view(words.front()),
          words.empty() ? 0 : words.size() - 1);
    for (std::size_t i = 1; i < words.size(); ++i) add(words[i]);
  }

  std::string_view bytes() const { return bytes_; }
  const std::string& name() const { return name_; }

 private:
  EXTPROC_API void start(std::string_view name, std::size_t arguments);
  EXTPROC_API void add(std::string_view argument);
  template <std::integral T>
  void add(T number) {
    add(std::string_view(std::to_string(number)));
  }

  std::string name_;
  std::string bytes_;
};

enum class Reason : std::uint8_t {
  /// A command that changes what the connection is, which others share: subscribe and its family,
  /// monitor, auth, hello, select, quit, reset, client reply; or none at all.
  command,
  /// No connection can be made; and at once while the last attempt's pause lasts. Nothing was sent.
  unavailable,
  /// The connection ended, or the server said nothing any more.
  lost,
  /// Settings::time is over.
  time,
  /// The server answered with an error; the text is its own.
  error,
  /// Settings::commands or queued_bytes.
  overloaded,
  /// The Client has been destroyed.
  shut_down,
};

class EXTPROC_API Failure : public std::runtime_error {
 public:
  Failure(Reason reason, const std::string& text, bool sent = false)
      : std::runtime_error(text), reason_(reason), sent_(sent) {}

  Reason reason() const { return reason_; }
  /// Whether the server may have done it.
  bool sent() const { return sent_; }

 private:
  Reason reason_;
  bool sent_;
};

/// Sends commands over one connection for each of the server's threads, made with the first command
/// and again after it ended; all that is asked at the same time goes out together, and nothing
/// waits for another's reply. So it is not for commands that wait on the server (BLPOP, WAIT), and
/// MULTI … EXEC go in one send().
///
/// A command is sent once: where the connection ends before its reply, Failure::sent() says that it
/// may have been done. RESP3 is asked for, and RESP2 spoken with a server that does not know it.
/// No cluster and no sentinel: what such a server answers (MOVED, READONLY) is an error like any
/// other.
///
/// Threads: any, at once.
class EXTPROC_API Client {
 public:
  /// Throws Error where a bound is 0, or a file of TlsSettings cannot be read. Connects to nothing.
  explicit Client(Settings settings);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  /// Connections are closed; commands under way fail with Reason::shut_down, each on its thread.
  ~Client();

  /// Throws Failure, of Reason::error for an error as the reply; and operation_aborted as every
  /// operation of Asio once the stream of the handler that waits is over.
  boost::asio::awaitable<Value> send(Command command);
  template <class... Args>
  boost::asio::awaitable<Value> command(std::string_view name, const Args&... args) {
    return send(Command(name, args...));
  }
  /// Several, one behind the other without anybody's between them; their replies in that order,
  /// errors among them.
  boost::asio::awaitable<std::vector<Value>> send(std::vector<Command> commands);

  class State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace extproc::redis
