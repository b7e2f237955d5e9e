#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "blocks/client/channel.h"
#include "blocks/client/loop_members.h"
#include "blocks/client/target.h"
#include "extproc/client.h"

namespace extproc::client {

/// The connections of one loop. Each origin has so many places; who has one has a connection, or
/// makes it, and leaves it as unused to whoever comes next.
class Pool final : public LoopMember, public std::enable_shared_from_this<Pool> {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// A place, from acquire() to its end. Its connection is kept where keep() was called.
  class Lease {
   public:
    Lease(std::shared_ptr<Pool> pool, Origin origin)
        : pool_(std::move(pool)), origin_(std::move(origin)) {}
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (pool_) pool_->release(*this);
    }

    /// Null until it has been made.
    Channel* channel() const { return channel_.get(); }
    Channel& make();
    void keep() { kept_ = true; }

   private:
    friend class Pool;

    std::shared_ptr<Pool> pool_;
    Origin origin_;
    std::unique_ptr<Channel> channel_;
    bool kept_ = false;
  };

  Pool(Settings settings, boost::asio::any_io_executor executor)
      : settings_(std::move(settings)), executor_(std::move(executor)) {}

  /// A place, with an unused connection where there is one, unless `fresh`. Throws Failure.
  boost::asio::awaitable<Lease> acquire(Origin origin, Time until, bool fresh);
  bool ended() const { return ended_; }
  void end() noexcept override;

 private:
  struct Waiter {
    boost::asio::steady_timer timer;
    /// A place is its own, with this connection, or without one.
    bool given = false;
    std::unique_ptr<Channel> channel{};
  };
  struct Unused {
    std::unique_ptr<Channel> channel;
    Time since;
  };
  struct Places {
    /// Leases, waiters that were given one, and unused connections.
    std::size_t taken = 0;
    std::vector<Unused> unused;
    std::list<Waiter*> waiters;
    Time used;
  };

  class Waiting;

  /// Whether there is a place now, which is taken then; its connection is in `channel`, if it has
  /// one.
  bool take(Places& places, bool fresh, std::unique_ptr<Channel>& channel);
  /// To who waits, or as unused; `channel` may be null.
  void hand_on(Places& places, std::unique_ptr<Channel> channel);
  Places& places_of(const Origin& origin);
  void make_room();
  void drop_old(Places& places, Time now) const;
  void release(Lease& lease);

  const Settings settings_;
  const boost::asio::any_io_executor executor_;
  std::map<Origin, Places> origins_;
  std::set<Channel*> in_use_;
  Time looked_{};
  bool ended_ = false;
};

}  // namespace extproc::client
