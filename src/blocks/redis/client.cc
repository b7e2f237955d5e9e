#include <algorithm>
#include <array>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string_view>
#include <utility>

#include "blocks/client/loop_members.h"
#include "blocks/client/target.h"
#include "blocks/client/tls.h"
#include "blocks/redis/session.h"
#include "extproc/error.h"
#include "extproc/redis.h"

namespace extproc::redis {

namespace {

namespace asio = boost::asio;

/// They change what the connection is, or have no reply, or more than one.
constexpr std::array<std::string_view, 14> kRefused = {
    "auth",  "hello",  "monitor",    "psubscribe", "psync",        "punsubscribe", "quit",
    "reset", "select", "ssubscribe", "subscribe",  "sunsubscribe", "sync",         "unsubscribe"};

bool is_client_reply(const Command& command) {
  constexpr std::string_view kReply = "\r\n$5\r\nreply\r\n";
  if (!client::same_name(command.name(), "client")) return false;
  const std::string_view bytes = command.bytes();
  const std::size_t first = bytes.find("$6\r\n") + 4 + command.name().size();
  return client::same_name(bytes.substr(first, kReply.size()), kReply);
}

void check(const Command& command) {
  using client::same_name;
  if (command.name().empty()) throw Failure(Reason::command, "a command must have a name");
  const bool changes =
      std::ranges::any_of(kRefused, [&](auto one) { return same_name(one, command.name()); });
  if (changes || is_client_reply(command)) {
    throw Failure(Reason::command,
                  "the command " + command.name() + " is refused: others share the connection");
  }
}

const Settings& checked(const Settings& settings) {
  if (settings.host.empty() || settings.port == 0) {
    throw Error("a client of Redis needs a host and a port");
  }
  if (settings.connect_time.count() <= 0 || settings.time.count() <= 0 ||
      settings.least_pause.count() <= 0 || settings.most_pause < settings.least_pause ||
      settings.commands == 0 || settings.queued_bytes == 0 || settings.reply_bytes == 0) {
    throw Error(
        "the times, pauses and bounds of a client of Redis must be more than 0, and most_pause no "
        "less than least_pause");
  }
  return settings;
}

}  // namespace

class Client::State {
 public:
  explicit State(const Settings& settings)
      : sessions(make_sessions(checked(settings),
                               settings.tls ? client::make_tls(*settings.tls) : nullptr)) {}

  std::shared_ptr<Session> session(const asio::any_io_executor& executor) const {
    auto session = std::static_pointer_cast<Session>(sessions->of(executor));
    if (!session) throw Failure(Reason::shut_down, "the client of Redis has been destroyed");
    return session;
  }

  const std::shared_ptr<client::LoopMembers> sessions;

 private:
  static std::shared_ptr<client::LoopMembers> make_sessions(
      const Settings& settings, const std::shared_ptr<client::Tls>& tls) {
    return std::make_shared<client::LoopMembers>([settings, tls](const auto& executor) {
      return std::make_shared<Session>(settings, tls, executor);
    });
  }
};

namespace {

asio::awaitable<std::vector<Value>> send_on(std::shared_ptr<Client::State> state,
                                            std::vector<Command> commands) {
  std::string bytes;
  for (const Command& command : commands) {
    check(command);
    bytes.append(command.bytes());
  }
  if (commands.empty()) co_return std::vector<Value>();
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto session = state->session(executor);
  std::vector<Value> replies = co_await session->send(std::move(bytes), commands.size());
  co_return replies;
}

asio::awaitable<Value> send_one(std::shared_ptr<Client::State> state, Command command) {
  std::vector<Command> commands;
  commands.push_back(std::move(command));
  std::vector<Value> replies = co_await send_on(std::move(state), std::move(commands));
  if (replies.front().is_error()) throw Failure(Reason::error, replies.front().text, true);
  co_return std::move(replies.front());
}

}  // namespace

Client::Client(Settings settings) : state_(std::make_shared<State>(settings)) {}
Client::Client(Client&&) noexcept = default;

Client& Client::operator=(Client&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Client::~Client() {
  if (state_) state_->sessions->close();
}

asio::awaitable<Value> Client::send(Command command) {
  return send_one(state_, std::move(command));
}

asio::awaitable<std::vector<Value>> Client::send(std::vector<Command> commands) {
  return send_on(state_, std::move(commands));
}

}  // namespace extproc::redis
