#include "blocks/redis/session.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

namespace extproc::redis {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// What goes out in one write, more than that only of one command.
constexpr std::size_t kBatchBytes = std::size_t{256} << 10;
constexpr std::size_t kReadBytes = std::size_t{16} << 10;

std::exception_ptr failure(Reason reason, const std::string& text, bool sent) {
  return std::make_exception_ptr(Failure(reason, text, sent));
}

}  // namespace

/// Of somebody who waits, also where the coroutine goes without being resumed.
class Session::Waiting {
 public:
  Waiting(Session& session, AskedPtr asked, asio::steady_timer& timer)
      : session_(session), asked_(std::move(asked)) {
    asked_->timer = &timer;
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    asked_->timer = nullptr;
    if (!asked_->is_done()) session_.give_up(asked_);
  }

 private:
  Session& session_;
  AskedPtr asked_;
};

Session::Session(const Settings& settings, std::shared_ptr<client::Tls> tls,
                 asio::any_io_executor executor)
    : settings_(settings),
      origin_{.secure = settings.tls.has_value(), .host = settings.host, .port = settings.port},
      tls_(std::move(tls)),
      executor_(std::move(executor)),
      reader_(settings.reply_bytes) {}

asio::awaitable<std::vector<Value>> Session::send(std::string bytes, std::size_t replies) {
  check_room(bytes.size());
  const auto self = shared_from_this();
  const auto asked = std::make_shared<Asked>(Asked{.bytes = std::move(bytes), .missing = replies});
  asio::steady_timer timer(executor_, settings_.time);
  to_write_.push_back(asked);
  bytes_ += asked->bytes.size();
  commands_ += replies;
  const Waiting waiting(*this, asked, timer);
  if (!std::exchange(writing_, true)) {
    asio::co_spawn(executor_, write_all(), asio::detached);
  }
  error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (asked->failure) std::rethrow_exception(asked->failure);
  if (asked->is_done()) co_return std::move(asked->replies);
  if (woken) {
    throw boost::system::system_error(asio::error::make_error_code(asio::error::operation_aborted));
  }
  const bool sent = asked->is_written;
  // One that said nothing since is taken for gone: whoever comes next need not wait for that again.
  // Nor is anything read that nobody waits for any more, which may never end.
  asked->timer = nullptr;
  if (sent && (received_ <= asked->written || !anybody_waits())) {
    lose("it has not answered in time");
  }
  throw Failure(Reason::time, "Redis has not answered in time", sent);
}

void Session::check_room(std::size_t bytes) const {
  if (ended_) throw Failure(Reason::shut_down, "the client of Redis has been destroyed");
  if (commands_ >= settings_.commands || bytes > settings_.queued_bytes - bytes_) {
    throw Failure(Reason::overloaded, "too many commands wait for Redis");
  }
  if (!channel_ && !coming_ && Clock::now() < not_before_) {
    throw Failure(Reason::unavailable, last_failure_);
  }
}

// What is written already has its reply to come.
void Session::give_up(const AskedPtr& asked) {
  const auto found = std::ranges::find(to_write_, asked);
  if (found == to_write_.end()) return;
  to_write_.erase(found);
  bytes_ -= asked->bytes.size();
  commands_ -= asked->missing;
}

bool Session::anybody_waits() const {
  return std::ranges::any_of(written_, [](const AskedPtr& one) { return one->timer != nullptr; });
}

asio::awaitable<void> Session::write_all() {
  const auto self = shared_from_this();
  while (!to_write_.empty() && !ended_) {
    if (!channel_ || (written_.empty() && !channel_->is_quiet())) {
      lose("the connection ended");
      co_await connect();
      continue;
    }
    const ChannelPtr channel = channel_;
    const bool reads = !written_.empty();
    const std::string batch = take_batch();
    if (!reads) asio::co_spawn(executor_, read_all(channel), asio::detached);
    error_code error;
    co_await asio::async_write(*channel, asio::buffer(batch),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error && channel == channel_) lose(error.message());
  }
  writing_ = false;
}

std::string Session::take_batch() {
  std::string batch;
  const auto now = Clock::now();
  while (!to_write_.empty() && batch.size() < kBatchBytes) {
    AskedPtr asked = std::move(to_write_.front());
    to_write_.pop_front();
    bytes_ -= asked->bytes.size();
    batch.append(asked->bytes);
    asked->bytes = {};
    asked->written = now;
    asked->is_written = true;
    written_.push_back(std::move(asked));
  }
  return batch;
}

asio::awaitable<void> Session::read_all(ChannelPtr channel) {
  const auto self = shared_from_this();
  std::array<char, kReadBytes> buffer;
  while (channel == channel_ && !written_.empty()) {
    error_code error;
    const std::size_t size = co_await channel->async_read_some(
        asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    if (channel != channel_) break;
    if (error) {
      lose(error.message());
      break;
    }
    received_ = Clock::now();
    try {
      take_replies({buffer.data(), size});
    } catch (const ReplyError& wrong) {
      lose(wrong.what());
    }
  }
}

void Session::take_replies(std::string_view bytes) {
  Value value;
  while (reader_.take(bytes, value)) {
    if (written_.empty()) throw ReplyError("a reply came that nobody asked for");
    Asked& asked = *written_.front();
    asked.replies.push_back(std::exchange(value, {}));
    --commands_;
    if (--asked.missing > 0) continue;
    asked.wake();
    written_.pop_front();
  }
}

void Session::lose(const std::string& why) noexcept {
  if (!channel_) return;
  channel_->close();
  channel_.reset();
  const auto lost = failure(Reason::lost, "the connection to Redis is lost: " + why, true);
  for (const AskedPtr& asked : std::exchange(written_, {})) {
    commands_ -= asked->missing;
    asked->failure = lost;
    asked->wake();
  }
}

void Session::end() noexcept {
  ended_ = true;
  if (coming_) coming_->close();
  if (channel_) channel_->close();
  channel_.reset();
  for (auto* const queue : {&to_write_, &written_}) {
    for (const AskedPtr& asked : std::exchange(*queue, {})) {
      asked->failure =
          failure(Reason::shut_down, "the client of Redis has been destroyed", asked->is_written);
      asked->wake();
    }
  }
}

}  // namespace extproc::redis
