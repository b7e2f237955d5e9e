#include "server/distributor.h"

#include <algorithm>
#include <string>
#include <utility>

namespace extproc::server {

void Distributor::distribute(AcceptedSocket socket) {
  std::size_t open = 0;
  Worker* least = nullptr;
  for (const auto& worker : workers_) {
    open += worker->load();
    if (least == nullptr || worker->load() < least->load()) least = worker.get();
  }
  if (open < most_) return least->add(std::move(socket));
  if (Worker* worker = idlest()) {
    tell(tell_displaced_, "idle connections end to make room for new ones: ", open);
    return worker->replace_idlest(std::move(socket));
  }
  counters_.connections_refused.add();
  tell(tell_refused_, "connections are refused: ", open);
}

void Distributor::make_room() {
  if (Worker* worker = idlest()) worker->drop_idlest();
}

Worker* Distributor::idlest() const {
  const auto found = std::ranges::min_element(
      workers_, {}, [](const auto& worker) { return worker->idle_since(); });
  return (*found)->idle_since() == Worker::kNoneIdle ? nullptr : found->get();
}

void Distributor::tell(Seldom& seldom, const char* what, std::size_t open) {
  if (!seldom.now()) return;
  logger_.log(LogLevel::warning, LineKind::connection,
              what + std::to_string(open) + " are open, as many as Limits::connections allows");
}

}  // namespace extproc::server
