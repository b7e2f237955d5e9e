#include "trace/exporter.h"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "extproc/error.h"
#include "trace/environment.h"
#include "trace/http_post.h"
#include "trace/resource.h"

namespace extproc::trace {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr auto kWithError = asio::as_tuple(asio::use_awaitable);
/// How often the same spans are sent, and what is between, growing.
constexpr unsigned kMostAttempts = 5;
constexpr std::chrono::milliseconds kFirstPause{1'000};
constexpr std::chrono::milliseconds kLongestPause{30'000};
constexpr std::chrono::minutes kBetweenLines{1};
/// For a thread that was told to give up.
constexpr std::chrono::milliseconds kTimeToGiveUp{200};

}  // namespace

class Exporter::Sender {
 public:
  Sender(TraceSettings settings, Logger logger, std::string_view what)
      : settings_(std::move(settings)),
        logger_(std::move(logger)),
        what_(what),
        queue_({settings_.queue_bytes, settings_.queue_spans, settings_.batch_spans},
               [this] { wake(); }),
        frame_(settings_) {}

  SpanQueue& queue() { return queue_; }
  const std::string& peer() const { return poster_.endpoint().host_header; }
  const SpanQueue& queue() const { return queue_; }

  void run() {
    asio::co_spawn(io_, work(), asio::detached);
    io_.run();
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  /// Sends what waits. False where the thread does not end in time.
  bool end() {
    asio::post(io_, [this] {
      ends_ = true;
      idle_.cancel();
      pause_.cancel();
    });
    if (is_over_in(settings_.last_send)) return true;
    asio::post(io_, [this] {
      gives_up_ = true;
      poster_.close();
    });
    return is_over_in(kTimeToGiveUp);
  }

 private:
  using Batch = std::vector<std::unique_ptr<SpanBuffer>>;

  void wake() {
    asio::post(io_, [this] { idle_.cancel(); });
  }
  bool is_over_in(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return over_; });
  }

  asio::awaitable<void> work();
  asio::awaitable<void> send_all(SpanQueue::Buffers buffers);
  asio::awaitable<void> send(const Batch& batch);
  std::string body_of(const Batch& batch) const;
  std::chrono::milliseconds pause_before(const Posted& posted, unsigned attempt);
  void done(const Batch& batch, std::size_t dropped);
  void tell(std::string_view what, std::string why);
  void tell_end();

  const TraceSettings settings_;
  const Logger logger_;
  const std::string what_;
  asio::io_context io_{1};
  SpanQueue queue_;
  const RequestFrame frame_;
  // Of the thread alone.
  asio::steady_timer idle_{io_};
  asio::steady_timer pause_{io_};
  HttpPoster poster_{io_, settings_};
  std::minstd_rand random_{std::random_device()()};
  std::optional<Clock::time_point> told_;
  std::uint64_t dropped_told_ = 0;
  bool fails_ = false;
  bool ends_ = false;
  bool gives_up_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
};

asio::awaitable<void> Exporter::Sender::work() {
  while (true) {
    if (!ends_ && !queue_.has_batch()) {
      idle_.expires_after(settings_.delay);
      [[maybe_unused]] auto [woken] = co_await idle_.async_wait(kWithError);
    }
    // What was handed over before the end is among what is taken then.
    const bool last = ends_;
    co_await send_all(queue_.take());
    if (last) break;
  }
  tell_end();
}

asio::awaitable<void> Exporter::Sender::send_all(SpanQueue::Buffers buffers) {
  auto next = buffers.begin();
  while (next != buffers.end()) {
    Batch batch;
    std::size_t spans = 0;
    while (next != buffers.end() &&
           (batch.empty() || spans + (*next)->spans <= settings_.batch_spans)) {
      spans += (*next)->spans;
      batch.push_back(std::move(*next++));
    }
    co_await send(batch);
  }
}

asio::awaitable<void> Exporter::Sender::send(const Batch& batch) {
  std::size_t spans = 0;
  for (const auto& each : batch) spans += each->spans;
  for (unsigned attempt = 1; !gives_up_; ++attempt) {
    const Posted posted = co_await poster_.post(body_of(batch));
    if (posted.taken()) {
      const Refused refused = read_response(posted.body);
      done(batch, std::min(refused.spans, spans));
      if (refused.spans != 0 || !refused.why.empty()) {
        tell("takes " + what_ + ", but " + std::to_string(refused.spans) + " of " +
                 std::to_string(spans),
             refused.why);
      } else if (std::exchange(fails_, false)) {
        told_.reset();
        logger_.log(LogLevel::info, LineKind::server, what_ + " are taken again by " + peer());
      }
      co_return;
    }
    if (!gives_up_) {
      fails_ = true;
      tell("does not take " + what_,
           posted.status == 0 ? posted.failure : "it answers " + std::to_string(posted.status));
    }
    if (!posted.is_to_be_repeated() || attempt == kMostAttempts || ends_) break;
    pause_.expires_after(pause_before(posted, attempt));
    [[maybe_unused]] auto [woken] = co_await pause_.async_wait(kWithError);
  }
  done(batch, spans);
}

std::string Exporter::Sender::body_of(const Batch& batch) const {
  std::size_t bytes = 0;
  for (const auto& each : batch) bytes += each->size;
  std::string body = frame_.before(bytes);
  body.reserve(body.size() + bytes);
  for (const auto& each : batch) body.append(each->bytes.data(), each->size);
  return body;
}

// Several servers are not to come back at the same time.
std::chrono::milliseconds Exporter::Sender::pause_before(const Posted& posted, unsigned attempt) {
  const auto grown = std::min(kFirstPause * (1 << (attempt - 1)), kLongestPause);
  const auto least =
      posted.retry_after ? std::chrono::milliseconds(*posted.retry_after) : grown / 2;
  std::uniform_int_distribution<std::int64_t> spread(0, grown.count() / 2);
  return std::min(least, 2 * kLongestPause) + std::chrono::milliseconds(spread(random_));
}

void Exporter::Sender::done(const Batch& batch, std::size_t dropped) {
  for (const auto& each : batch) {
    const std::size_t of_this = std::min(dropped, each->spans);
    queue_.done(*each, of_this);
    dropped -= of_this;
  }
}

// Not each failure: while there is no collector there are many.
void Exporter::Sender::tell(std::string_view what, std::string why) {
  const auto now = Clock::now();
  if (told_ && now - *told_ < kBetweenLines) return;
  told_ = now;
  const std::uint64_t dropped = queue_.figures().dropped;
  if (dropped != dropped_told_)
    why += "; " + std::to_string(dropped - std::exchange(dropped_told_, dropped)) + " " + what_ +
           " were dropped since this was told last";
  logger_.log({.level = LogLevel::warning,
               .kind = LineKind::server,
               .event = peer() + " " + std::string(what),
               .detail = why});
}

void Exporter::Sender::tell_end() {
  const std::uint64_t dropped = queue_.figures().dropped - dropped_told_;
  if (dropped == 0) return;
  logger_.log(
      LogLevel::warning, LineKind::server,
      std::to_string(dropped) + " " + what_ + " were dropped, which " + peer() + " did not take");
}

std::shared_ptr<Exporter> Exporter::of(const TraceSettings& settings, const Logger& logger) {
  check(settings);
  using Known = std::pair<TraceSettings, std::weak_ptr<Exporter>>;
  static std::mutex mutex;
  // Never destroyed: servers may be ended later than what this file has.
  static std::vector<Known>& all = *new std::vector<Known>;
  const std::lock_guard lock(mutex);
  std::erase_if(all, [](const Known& each) { return each.second.expired(); });
  for (const auto& [its_settings, known] : all) {
    if (its_settings != settings) continue;
    if (auto exporter = known.lock()) return exporter;
  }
  auto exporter = std::make_shared<Exporter>(settings, logger);
  all.emplace_back(settings, exporter);
  return exporter;
}

Exporter::Exporter(const TraceSettings& settings, const Logger& logger, std::string_view what)
    : sender_(std::make_shared<Sender>(settings, logger, what)) {
  // Signals are for other threads.
  sigset_t all_signals;
  sigset_t before;
  sigfillset(&all_signals);
  ::pthread_sigmask(SIG_BLOCK, &all_signals, &before);
  try {
    thread_ = std::thread([sender = sender_] { sender->run(); });
    ::pthread_setname_np(thread_.native_handle(), "extproc-traces");
  } catch (const std::system_error& error) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw Error(std::string("cannot start the thread that sends spans: ") + error.what());
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Exporter::~Exporter() { sender_->end() ? thread_.join() : thread_.detach(); }

SpanQueue& Exporter::queue() { return sender_->queue(); }

const std::string& Exporter::peer() const { return sender_->peer(); }

Figures Exporter::figures() const { return sender_->queue().figures(); }

}  // namespace extproc::trace
