#include "server/process_memory.h"

#include <algorithm>

namespace extproc::server {
namespace {

/// A connection that holds less is not closed: what is too much is held by handlers that still run
/// though their connections are gone.
constexpr std::size_t kLeastShed = std::size_t{256} << 10;

}  // namespace

ProcessMemory& ProcessMemory::instance() {
  static ProcessMemory memory;
  return memory;
}

void ProcessMemory::add(MemoryHolder& holder) {
  const std::lock_guard lock(mutex_);
  holders_.push_back(&holder);
}

void ProcessMemory::remove(MemoryHolder& holder) {
  const std::lock_guard lock(mutex_);
  std::erase(holders_, &holder);
}

bool ProcessMemory::change(std::ptrdiff_t bytes, std::size_t limit) {
  const std::ptrdiff_t now = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  const bool over = now > 0 && static_cast<std::size_t>(now) > limit;
  if (over && bytes > 0) begin_shedding();
  return over;
}

// One at a time: what the connection that is being closed holds would else be counted twice.
void ProcessMemory::begin_shedding() {
  if (shedding_.exchange(true, std::memory_order_acq_rel)) return;
  const auto survey = std::make_shared<MemoryHolder::Survey>(*this);
  const std::lock_guard lock(mutex_);
  for (MemoryHolder* holder : holders_) holder->survey(survey);
}

void ProcessMemory::end_shedding(std::size_t limit) {
  give_up_shedding();
  if (held() > limit) begin_shedding();
}

void MemoryHolder::Survey::tell(MemoryHolder& holder, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes <= most_) return;
  most_of_ = &holder;
  most_ = bytes;
}

MemoryHolder::Survey::~Survey() {
  {
    const std::lock_guard lock(memory_.mutex_);
    const auto& holders = memory_.holders_;
    if (most_ >= kLeastShed && std::ranges::find(holders, most_of_) != holders.end()) {
      most_of_->shed(most_ / 2);
      return;
    }
  }
  memory_.give_up_shedding();
}

}  // namespace extproc::server
