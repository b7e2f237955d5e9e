#include "extproc/client.h"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "blocks/client/exchange.h"
#include "blocks/client/loop_members.h"
#include "blocks/client/pool.h"
#include "blocks/client/target.h"
#include "blocks/client/tls.h"
#include "extproc/error.h"

namespace extproc::client {

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

const Settings& checked(const Settings& settings) {
  if (settings.connect_time.count() <= 0 || settings.time.count() <= 0 ||
      settings.connections == 0 || settings.origins == 0 || settings.head_bytes == 0) {
    throw Error(
        "a client's connect_time, time, connections, origins and head_bytes must be more than 0");
  }
  return settings;
}

/// Sent twice it does what it does once (RFC 9110, 9.2.2).
bool is_idempotent(const std::string& method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE";
}

}  // namespace

class Client::State {
 public:
  explicit State(const Settings& from)
      : settings(checked(from)),
        tls(make_tls(settings.tls)),
        pools(std::make_shared<LoopMembers>([settings = settings](const auto& executor) {
          return std::make_shared<Pool>(settings, executor);
        })) {}

  const Settings settings;
  const std::shared_ptr<Tls> tls;
  const std::shared_ptr<LoopMembers> pools;
};

namespace {

/// Of one request.
struct Sending {
  std::shared_ptr<Client::State> state;
  std::shared_ptr<Pool> pool;
  const Request& request;
  const Target& target;
  const std::string& text;
  Clock::time_point until;
};

asio::awaitable<Response> send_once(const Sending& sending, bool fresh, bool& again) {
  Pool::Lease lease = co_await sending.pool->acquire(sending.target.origin, sending.until, fresh);
  const bool used_before = lease.channel() != nullptr;
  Channel& channel = used_before ? *lease.channel() : lease.make();
  if (!used_before) {
    const auto connected =
        std::min(sending.until, Clock::now() + sending.state->settings.connect_time);
    co_await channel.open(sending.target.origin, sending.state->tls, connected);
  }
  channel.set_deadline(sending.until);
  Exchange exchange{.settings = sending.state->settings,
                    .origin = sending.target.origin,
                    .request = sending.text,
                    .without_body = sending.request.method == "HEAD"};
  try {
    co_await run(channel, exchange);
  } catch (const Failure& failure) {
    again = used_before && exchange.never_answered && failure.reason() == Reason::closed &&
            is_idempotent(sending.request.method);
    throw;
  }
  channel.clear_deadline();
  if (exchange.reusable) lease.keep();
  co_return std::move(exchange.response);
}

asio::awaitable<Response> send_on(std::shared_ptr<Client::State> state, Request request) {
  const Target target = parse_target(request.url);
  const std::string text = request_text(request, target);
  const auto until = Clock::now() + request.time.value_or(state->settings.time);
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto pool = std::static_pointer_cast<Pool>(state->pools->of(executor));
  if (!pool) throw Failure(Reason::shut_down, "the client has been destroyed");
  const Sending sending{state, pool, request, target, text, until};
  bool again = false;
  try {
    Response response = co_await send_once(sending, false, again);
    co_return response;
  } catch (const Failure&) {
    if (!again) throw;
  } catch (const boost::system::system_error&) {
    if (pool->ended()) throw Failure(Reason::shut_down, "the client has been destroyed", true);
    throw;
  }
  try {
    Response response = co_await send_once(sending, true, again);
    co_return response;
  } catch (const boost::system::system_error&) {
    if (pool->ended()) throw Failure(Reason::shut_down, "the client has been destroyed", true);
    throw;
  }
}

}  // namespace

std::optional<std::string_view> Response::header(std::string_view name) const {
  const auto found = std::ranges::find_if(
      headers, [&](const Header& header) { return same_name(header.first, name); });
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

Client::Client(Settings settings) : state_(std::make_shared<State>(settings)) {}
Client::Client(Client&&) noexcept = default;

Client& Client::operator=(Client&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

Client::~Client() {
  if (state_) state_->pools->close();
}

asio::awaitable<Response> Client::send(Request request) {
  return send_on(state_, std::move(request));
}

asio::awaitable<Response> Client::get(std::string url) {
  Request request;
  request.url = std::move(url);
  return send_on(state_, std::move(request));
}

}  // namespace extproc::client
