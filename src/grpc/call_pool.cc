#include "grpc/call_pool.h"

#include <utility>

namespace extproc::grpc {

ServerCall& CallPool::make(CallHost& host) {
  std::unique_ptr<Storage> storage;
  if (free_.empty()) {
    storage = std::make_unique<Storage>();
  } else {
    storage = std::move(free_.back());
    free_.pop_back();
  }
  return *::new (storage.release()) ServerCall(host);
}

void CallPool::destroy(ServerCall& call) {
  std::unique_ptr<Storage> storage(reinterpret_cast<Storage*>(&call));
  call.~ServerCall();
  if (free_.size() < kMostKept) free_.push_back(std::move(storage));
}

}  // namespace extproc::grpc
