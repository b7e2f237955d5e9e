#include "processor/processor_life.h"

#include <chrono>
#include <string>
#include <utility>

#include "base/access.h"
#include "base/what_was_thrown.h"
#include "extproc/error.h"

namespace extproc::processor {
namespace {

constexpr std::chrono::milliseconds kBetweenAsking{100};

}  // namespace

ProcessorLife::ProcessorLife(const Service& service, const Logger& logger,
                             boost::asio::io_context& io, Meanwhile meanwhile)
    : logger_(logger), timer_(io), meanwhile_(std::move(meanwhile)) {
  const auto& served = detail::Access::dispatcher(service);
  processors_.assign(served->links().begin(), served->links().end());
  if (processors_.empty()) processors_.push_back(served);
}

void ProcessorLife::start() {
  ready_ = 0;
  told_waiting_ = told_failure_ = false;
  while (started_ < processors_.size()) {
    const detail::Dispatcher& next = *processors_[started_];
    try {
      next.start();
    } catch (...) {
      const std::string what = what_was_thrown();
      stop();
      throw Error(next.name() + " cannot start: " + what);
    }
    ++started_;
  }
}

void ProcessorLife::stop() {
  stop_asking();
  while (started_ > 0) {
    const detail::Dispatcher& last = *processors_[--started_];
    try {
      last.stop();
    } catch (...) {
      logger_.log(LogLevel::error, LineKind::server,
                  last.name() + " failed in stop(): " + what_was_thrown());
    }
  }
}

bool ProcessorLife::ready(std::function<void()> ready) {
  if (all_ready()) return true;
  on_ready_ = std::make_shared<const std::function<void()>>(std::move(ready));
  ask_again();
  return false;
}

void ProcessorLife::ask_again() {
  timer_.expires_after(kBetweenAsking);
  // What has become due already is called behind the end of this, too.
  timer_.async_wait(
      [this, asks = std::weak_ptr(on_ready_)](const boost::system::error_code& error) {
        if (error || asks.expired()) return;
        if (!all_ready()) return ask_again();
        (*std::exchange(on_ready_, nullptr))();
      });
}

void ProcessorLife::stop_asking() {
  on_ready_.reset();
  timer_.cancel();
}

bool ProcessorLife::all_ready() {
  for (; ready_ < processors_.size(); ++ready_) {
    const detail::Dispatcher& next = *processors_[ready_];
    bool is_ready = false;
    try {
      is_ready = next.ready();
    } catch (...) {
      if (!told_failure_)
        logger_.log(LogLevel::error, LineKind::server,
                    next.name() + " failed in ready(), which counts as no: " + what_was_thrown());
      told_failure_ = true;
    }
    if (is_ready) continue;
    if (!told_waiting_)
      logger_.log(LogLevel::info, LineKind::server,
                  next.name() + " is not ready yet: " + meanwhile_.waiting);
    told_waiting_ = true;
    return false;
  }
  if (told_waiting_)
    logger_.log(LogLevel::info, LineKind::server, "all is ready: " + meanwhile_.ready);
  told_waiting_ = false;
  return true;
}

}  // namespace extproc::processor
