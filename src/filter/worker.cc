#include "filter/worker.h"

#include "base/access.h"
#include "filter/filter.h"

namespace extproc::filter {
namespace {

std::optional<detail::EventLoop> events_of(const std::shared_ptr<WorkerLoop>& loop,
                                           Filter& filter) {
  if (loop == nullptr) return std::nullopt;
  return std::optional<detail::EventLoop>(std::in_place, WorkerExecutor(loop), filter.blocking());
}

}  // namespace

Worker::Worker(Filter& filter)
    : loop_(detail::Access::dispatcher(filter.service())->suspends()
                ? std::make_shared<WorkerLoop>()
                : nullptr),
      events_(events_of(loop_, filter)),
      host_(detail::HostAccess::make_host(filter.service(), filter.host_settings(),
                                          events_ ? &*events_ : nullptr, filter.logger(),
                                          {.tracer = &tracer_})) {}

}  // namespace extproc::filter
