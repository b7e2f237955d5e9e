#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/recycle.h"
#include "grpc/server_call.h"

namespace extproc::grpc {

/// Makes the calls of one connection, in memory that calls before them have left.
class CallPool {
 public:
  ServerCall& make(CallHost& host);
  void destroy(ServerCall& call);
  /// Frees what is not in use.
  void give_back() { release(free_); }

 private:
  static constexpr std::size_t kMostKept = 1024;
  struct alignas(ServerCall) Storage {
    std::byte bytes[sizeof(ServerCall)];
  };

  std::vector<std::unique_ptr<Storage>> free_;
};

}  // namespace extproc::grpc
