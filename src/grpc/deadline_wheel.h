#pragma once

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace extproc::grpc {

/// Holds many deadlines of one thread in little memory: adding and taking out are O(1) and allocate
/// nothing; the owner calls expire() every kTick while it is not empty. A deadline is told at most
/// kTick late, never early.
///
/// An entry hangs in the slot of its tick modulo kSlots: one further than a revolution (about 10 s)
/// away is looked at once per revolution until its time has come.
class DeadlineWheel {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kTick{10};

  /// Something with a deadline. It takes itself out when it is destroyed; the wheel must outlive
  /// it.
  class Entry : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    /// The deadline has passed; the entry is out of the wheel already. It may add and remove
    /// entries, itself as well.
    virtual void on_deadline() noexcept = 0;

   protected:
    virtual ~Entry() { remove(*this); }
    /// When it was last added for.
    Clock::time_point added_for() const { return at_; }

   private:
    friend class DeadlineWheel;
    DeadlineWheel* wheel_ = nullptr;
    Clock::time_point at_;
  };

  /// `on_first` is called when an entry is added to an empty wheel: expire() is needed from then
  /// on.
  explicit DeadlineWheel(std::function<void()> on_first = nullptr)
      : on_first_(std::move(on_first)) {}
  DeadlineWheel(const DeadlineWheel&) = delete;
  DeadlineWheel& operator=(const DeadlineWheel&) = delete;

  /// Moves an entry that is in already.
  void add(Entry& entry, Clock::time_point at);
  /// Nothing happens when it is not in.
  static void remove(Entry& entry);
  void expire(Clock::time_point now);
  bool empty() const { return entries_ == 0; }

 private:
  static constexpr std::size_t kSlots = 1024;
  using List = boost::intrusive::list<Entry, boost::intrusive::constant_time_size<false>>;

  void take_due(List& slot, Clock::time_point now, List& due);

  std::function<void()> on_first_;
  List slots_[kSlots];
  std::size_t entries_ = 0;
  std::uint64_t last_tick_ = 0;
};

}  // namespace extproc::grpc
