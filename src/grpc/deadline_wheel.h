#pragma once

#include <chrono>
#include <cstddef>

#include <boost/intrusive/list.hpp>

namespace extproc::grpc {

/// Holds many deadlines of one thread in little memory: adding and taking out are O(1) and allocate nothing; the owner
/// calls expire() every kTick while it is not empty. A deadline is told at most kTick late.
class DeadlineWheel {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kTick{10};

  /// Something with a deadline. It takes itself out when it is destroyed.
  class Entry : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    /// The deadline has passed; the entry is out of the wheel already.
    virtual void on_deadline() noexcept = 0;

   protected:
    ~Entry() = default;

   private:
    friend class DeadlineWheel;
    Clock::time_point at_;
  };

  void add(Entry& entry, Clock::time_point at);
  static void remove(Entry& entry);
  void expire(Clock::time_point now);
  bool empty() const;

 private:
  static constexpr std::size_t kSlots = 1024;
  using List = boost::intrusive::list<Entry, boost::intrusive::constant_time_size<false>>;
  List slots_[kSlots];
  std::size_t last_tick_ = 0;
};

}  // namespace extproc::grpc
