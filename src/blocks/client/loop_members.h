#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace extproc::client {

/// What is used on one event loop alone: connections, and who waits for them.
class LoopMember {
 public:
  LoopMember() = default;
  LoopMember(const LoopMember&) = delete;
  LoopMember& operator=(const LoopMember&) = delete;
  virtual ~LoopMember() = default;

  /// On the loop, or while its context is destroyed: everything is closed, and whoever waits fails.
  /// It holds no socket and no timer from then on. Once or more.
  virtual void end() noexcept = 0;
};

/// A member for each event loop, made when it is first asked for, and ended with its loop's context
/// or with close(). Loops are told apart by their executors: several may share a context.
class LoopMembers : public std::enable_shared_from_this<LoopMembers> {
 public:
  using Make =
      std::function<std::shared_ptr<LoopMember>(const boost::asio::any_io_executor& executor)>;

  explicit LoopMembers(Make make) : make_(std::move(make)) {}

  /// That of the loop on which this is called; null behind close().
  std::shared_ptr<LoopMember> of(const boost::asio::any_io_executor& executor);
  /// Any thread. Each member is ended on its loop.
  void close();
  /// For the context's end, while no other thread runs it.
  void end_with(const boost::asio::execution_context& context);

 private:
  struct Entry {
    boost::asio::any_io_executor executor;
    std::shared_ptr<LoopMember> member;
  };

  const Make make_;
  std::mutex mutex_;
  bool closed_ = false;
  std::vector<Entry> entries_;
};

}  // namespace extproc::client
