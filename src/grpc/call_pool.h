#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "grpc/server_call.h"

namespace extproc::grpc {

/// Makes the calls of one connection, in memory that calls before them have left.
class CallPool {
 public:
  ServerCall& make(CallHost& host);
  void destroy(ServerCall& call);

 private:
  static constexpr std::size_t kMostKept = 1024;
  struct alignas(ServerCall) Storage {
    std::byte bytes[sizeof(ServerCall)];
  };

  std::vector<std::unique_ptr<Storage>> free_;
};

}  // namespace extproc::grpc
