#include "blocks/client/pool.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>
#include <string>
#include <utility>

namespace extproc::client {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kBetweenLooks{1};

[[noreturn]] void throw_ended() {
  throw Failure(Reason::shut_down, "the client has been destroyed");
}

}  // namespace

/// In the list while somebody waits. Who does not go on with a place that was given hands it on.
class Pool::Waiting {
 public:
  Waiting(Pool& pool, const Origin& origin, Waiter& waiter)
      : pool_(pool), origin_(origin), waiter_(waiter) {
    pool_.origins_.at(origin_).waiters.push_back(&waiter_);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    const auto found = pool_.origins_.find(origin_);
    if (found == pool_.origins_.end()) return;
    found->second.waiters.remove(&waiter_);
    if (waiter_.given && !pool_.ended_) pool_.hand_on(found->second, std::move(waiter_.channel));
  }

 private:
  Pool& pool_;
  const Origin& origin_;
  Waiter& waiter_;
};

Channel& Pool::Lease::make() {
  channel_ = std::make_unique<Channel>(pool_->executor_);
  pool_->in_use_.insert(channel_.get());
  return *channel_;
}

asio::awaitable<Pool::Lease> Pool::acquire(Origin origin, Time until, bool fresh) {
  if (ended_) throw_ended();
  Places& places = places_of(origin);
  std::unique_ptr<Channel> channel;
  if (!take(places, fresh, channel)) {
    if (places.waiters.size() >= settings_.waiting) {
      throw Failure(Reason::overloaded,
                    "too many requests wait for a connection to " + origin.text());
    }
    Waiter waiter{asio::steady_timer(executor_, until)};
    const Waiting waiting(*this, origin, waiter);
    boost::system::error_code woken;
    co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (ended_) throw_ended();
    if (!waiter.given) {
      if (woken) {
        throw boost::system::system_error(
            asio::error::make_error_code(asio::error::operation_aborted));
      }
      throw Failure(Reason::time, "no connection to " + origin.text() + " was free in time");
    }
    waiter.given = false;
    if (!fresh) channel = std::move(waiter.channel);
  }
  Lease lease(shared_from_this(), std::move(origin));
  if (channel && channel->is_quiet()) {
    in_use_.insert(channel.get());
    lease.channel_ = std::move(channel);
  }
  co_return lease;
}

bool Pool::take(Places& places, bool fresh, std::unique_ptr<Channel>& channel) {
  drop_old(places, std::chrono::steady_clock::now());
  while (!fresh && !places.unused.empty()) {
    channel = std::move(places.unused.back().channel);
    places.unused.pop_back();
    // Its place goes with it.
    if (channel->is_quiet()) return true;
    channel.reset();
    --places.taken;
  }
  if (places.taken >= settings_.connections) {
    if (places.unused.empty()) return false;
    places.unused.erase(places.unused.begin());
    --places.taken;
  }
  ++places.taken;
  return true;
}

void Pool::hand_on(Places& places, std::unique_ptr<Channel> channel) {
  for (Waiter* const waiter : places.waiters) {
    if (waiter->given) continue;
    waiter->given = true;
    waiter->channel = std::move(channel);
    waiter->timer.cancel();
    return;
  }
  if (channel) {
    places.unused.push_back({std::move(channel), std::chrono::steady_clock::now()});
  } else {
    --places.taken;
  }
}

Pool::Places& Pool::places_of(const Origin& origin) {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ > kBetweenLooks) {
    looked_ = now;
    for (auto& [name, places] : origins_) drop_old(places, now);
    std::erase_if(origins_, [&](const auto& one) {
      return one.second.taken == 0 && one.second.waiters.empty() && one.first != origin;
    });
  }
  if (!origins_.contains(origin) && origins_.size() >= settings_.origins) make_room();
  Places& places = origins_[origin];
  places.used = now;
  return places;
}

void Pool::make_room() {
  auto oldest = origins_.end();
  for (auto one = origins_.begin(); one != origins_.end(); ++one) {
    const Places& places = one->second;
    const bool at_rest = places.taken == places.unused.size() && places.waiters.empty();
    if (at_rest && (oldest == origins_.end() || places.used < oldest->second.used)) oldest = one;
  }
  if (oldest == origins_.end()) {
    throw Failure(Reason::overloaded, "requests to too many origins are under way");
  }
  origins_.erase(oldest);
}

// The one that was used last is at the end.
void Pool::drop_old(Places& places, Time now) const {
  const auto young = std::ranges::find_if(
      places.unused, [&](const Unused& one) { return now - one.since < settings_.idle_time; });
  places.taken -= static_cast<std::size_t>(young - places.unused.begin());
  places.unused.erase(places.unused.begin(), young);
}

void Pool::release(Lease& lease) {
  in_use_.erase(lease.channel_.get());
  const auto found = origins_.find(lease.origin_);
  if (ended_ || found == origins_.end()) return;
  if (!lease.kept_) lease.channel_.reset();
  hand_on(found->second, std::move(lease.channel_));
}

void Pool::end() noexcept {
  ended_ = true;
  for (Channel* const channel : in_use_) channel->close();
  for (auto& [origin, places] : origins_) {
    places.unused.clear();
    for (Waiter* const waiter : places.waiters) {
      waiter->channel.reset();
      waiter->timer.cancel();
    }
  }
}

}  // namespace extproc::client
