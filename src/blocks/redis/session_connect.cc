// How a connection begins: who we are, which protocol, which database; and what becomes of commands
// where there is none.
#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <string>
#include <utility>

#include "blocks/redis/session.h"

namespace extproc::redis {

namespace {

namespace asio = boost::asio;

/// Of a server, or something before it, that knows no RESP3.
bool knows_no_hello(const Value& reply) {
  return reply.is_error() &&
         (reply.text.starts_with("NOPROTO") || reply.text.starts_with("ERR unknown command") ||
          reply.text.starts_with("ERR Protocol"));
}

void require_ok(const Value& reply) {
  if (reply.is_error()) throw ReplyError(reply.text);
}

}  // namespace

asio::awaitable<void> Session::connect() {
  std::string why;
  try {
    const auto channel = std::make_shared<client::Channel>(executor_);
    coming_ = channel;
    const auto until = Clock::now() + settings_.connect_time;
    co_await channel->open(origin_, tls_, until);
    channel->set_deadline(until);
    ReplyReader reader(settings_.reply_bytes);
    co_await greet(*channel, reader);
    channel->clear_deadline();
    if (!reader.between_replies()) throw ReplyError("it says more than it was asked");
    coming_.reset();
    if (ended_) co_return;
    channel_ = channel;
    reader_ = ReplyReader(settings_.reply_bytes);
    pause_ = {};
  } catch (const std::exception& failed) {
    why = failed.what();
  }
  if (!why.empty()) not_connected(why);
}

asio::awaitable<void> Session::greet(client::Channel& channel, ReplyReader& reader) const {
  const std::string user = settings_.user.empty() ? "default" : settings_.user;
  const bool has_password = !settings_.password.empty();
  const Command hello =
      has_password ? Command("HELLO", 3, "AUTH", user, settings_.password) : Command("HELLO", 3);
  const Value greeting = co_await ask(channel, reader, hello);
  if (!knows_no_hello(greeting)) {
    require_ok(greeting);
  } else if (has_password) {
    // Before users had names.
    const Command auth = settings_.user.empty() ? Command("AUTH", settings_.password)
                                                : Command("AUTH", user, settings_.password);
    const Value allowed = co_await ask(channel, reader, auth);
    require_ok(allowed);
  }
  if (settings_.database != 0) {
    const Command select("SELECT", settings_.database);
    const Value selected = co_await ask(channel, reader, select);
    require_ok(selected);
  }
}

asio::awaitable<Value> Session::ask(client::Channel& channel, ReplyReader& reader,
                                    const Command& command) const {
  co_await asio::async_write(channel, asio::buffer(command.bytes()), asio::use_awaitable);
  std::array<char, 4096> buffer;
  Value reply;
  while (true) {
    const std::size_t size =
        co_await channel.async_read_some(asio::buffer(buffer), asio::use_awaitable);
    std::string_view bytes(buffer.data(), size);
    const bool is_whole = reader.take(bytes, reply);
    if (is_whole && !bytes.empty()) throw ReplyError("it says more than it was asked");
    if (is_whole) co_return reply;
  }
}

void Session::not_connected(const std::string& why) {
  coming_.reset();
  last_failure_ = "Redis is unavailable: " + why;
  pause_ = pause_.count() == 0 ? settings_.least_pause : std::min(pause_ * 2, settings_.most_pause);
  // Not all threads, and all processes, at the same moment.
  const auto part = std::uniform_real_distribution<>(0.75, 1.0)(random_);
  not_before_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(pause_ * part);
  const auto failure = std::make_exception_ptr(Failure(Reason::unavailable, last_failure_, false));
  for (const AskedPtr& asked : std::exchange(to_write_, {})) {
    bytes_ -= asked->bytes.size();
    commands_ -= asked->missing;
    asked->failure = failure;
    asked->wake();
  }
}

}  // namespace extproc::redis
