#include "blocks/client/loop_members.h"

#include <algorithm>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

namespace extproc::client {
namespace {

namespace asio = boost::asio;

asio::execution_context& context_of(const asio::any_io_executor& executor) {
  return asio::query(executor, asio::execution::context);
}

/// Hears of a context's end before its sockets and timers are gone.
class ContextEnd final : public asio::execution_context::service {
 public:
  using key_type = ContextEnd;
  static asio::execution_context::id id;

  explicit ContextEnd(asio::execution_context& context) : service(context) {}

  void tell(const std::shared_ptr<LoopMembers>& members) {
    const std::lock_guard lock(mutex_);
    std::erase_if(told_, [&](const auto& one) {
      const auto known = one.lock();
      return !known || known == members;
    });
    told_.push_back(members);
  }

 private:
  void shutdown() noexcept override {
    for (const auto& one : told_) {
      if (const auto members = one.lock()) members->end_with(context());
    }
  }

  std::mutex mutex_;
  std::vector<std::weak_ptr<LoopMembers>> told_;
};

asio::execution_context::id ContextEnd::id;

}  // namespace

std::shared_ptr<LoopMember> LoopMembers::of(const asio::any_io_executor& executor) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return nullptr;
    const auto known = std::ranges::find(entries_, executor, &Entry::executor);
    if (known != entries_.end()) return known->member;
  }
  // Without the lock: what a context is told of may end meanwhile, which takes it.
  asio::use_service<ContextEnd>(context_of(executor)).tell(shared_from_this());
  std::shared_ptr<LoopMember> made = make_(executor);
  const std::lock_guard lock(mutex_);
  if (closed_) return nullptr;
  entries_.push_back({executor, made});
  return made;
}

void LoopMembers::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  // Under the lock, so that no context ends before it has been handed this.
  for (Entry& entry : entries_) {
    asio::post(entry.executor, [member = std::move(entry.member)] { member->end(); });
  }
  entries_.clear();
}

void LoopMembers::end_with(const asio::execution_context& context) {
  std::vector<Entry> over;
  {
    const std::lock_guard lock(mutex_);
    const auto last = std::stable_partition(
        entries_.begin(), entries_.end(),
        [&](const Entry& entry) { return &context_of(entry.executor) != &context; });
    over.assign(std::make_move_iterator(last), std::make_move_iterator(entries_.end()));
    entries_.erase(last, entries_.end());
  }
  for (const Entry& entry : over) entry.member->end();
}

}  // namespace extproc::client
