#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "blocks/client/channel.h"
#include "blocks/client/loop_members.h"
#include "blocks/client/tls.h"
#include "blocks/redis/reply_reader.h"
#include "extproc/redis.h"

namespace extproc::redis {

/// The connection of one loop, and whose commands are on it. While nothing is asked nothing is
/// waited for: a loop with an idle connection has no work of it.
class Session final : public client::LoopMember, public std::enable_shared_from_this<Session> {
 public:
  using Clock = std::chrono::steady_clock;

  Session(const Settings& settings, std::shared_ptr<client::Tls> tls,
          boost::asio::any_io_executor executor);

  /// Commands as bytes, and how many replies they have. Throws Failure, and operation_aborted.
  boost::asio::awaitable<std::vector<Value>> send(std::string bytes, std::size_t replies);
  void end() noexcept override;

 private:
  using ChannelPtr = std::shared_ptr<client::Channel>;

  /// What somebody asked, until all its replies have come, also when nobody waits for them any
  /// more.
  struct Asked {
    std::string bytes;
    std::size_t missing;
    std::vector<Value> replies{};
    std::exception_ptr failure{};
    Clock::time_point written{};
    bool is_written = false;
    /// Of who waits.
    boost::asio::steady_timer* timer = nullptr;

    bool is_done() const { return missing == 0 || failure; }
    void wake() const {
      if (timer != nullptr) timer->cancel();
    }
  };
  using AskedPtr = std::shared_ptr<Asked>;
  class Waiting;

  void check_room(std::size_t bytes) const;
  void give_up(const AskedPtr& asked);
  /// For what was written.
  bool anybody_waits() const;

  // On the connection.

  /// Runs while something waits to be written.
  boost::asio::awaitable<void> write_all();
  std::string take_batch();
  /// Runs while replies are missing.
  boost::asio::awaitable<void> read_all(ChannelPtr channel);
  void take_replies(std::string_view bytes);
  /// The connection is over, and with it what was written.
  void lose(const std::string& why) noexcept;

  // Its beginning.

  boost::asio::awaitable<void> connect();
  boost::asio::awaitable<void> greet(client::Channel& channel, ReplyReader& reader) const;
  boost::asio::awaitable<Value> ask(client::Channel& channel, ReplyReader& reader,
                                    const Command& command) const;
  void not_connected(const std::string& why);

  const Settings settings_;
  const client::Origin origin_;
  const std::shared_ptr<client::Tls> tls_;
  const boost::asio::any_io_executor executor_;

  ChannelPtr channel_;
  /// That is being made.
  ChannelPtr coming_;
  ReplyReader reader_;
  std::deque<AskedPtr> to_write_;
  std::deque<AskedPtr> written_;
  std::size_t bytes_ = 0;
  std::size_t commands_ = 0;
  bool writing_ = false;
  bool ended_ = false;
  Clock::time_point received_{};

  std::chrono::milliseconds pause_{0};
  Clock::time_point not_before_{};
  std::string last_failure_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace extproc::redis
