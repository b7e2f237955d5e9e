#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/memory_account.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/host.h"
#include "grpc/call.h"
#include "grpc/deadline_wheel.h"

namespace extproc::server {

/// The gRPC service envoy.service.ext_proc.v3.ExternalProcessor for one processor on one I/O
/// thread: joins each call to a stream::ProcessStream. Calls whose handler is still suspended when
/// their connection ends live on in it until it returns.
class ProcessService final : public grpc::GrpcService {
 public:
  static constexpr std::string_view kName = "envoy.service.ext_proc.v3.ExternalProcessor";

  /// All must outlive it.
  ProcessService(host::Host& host, grpc::DeadlineWheel& deadlines, MemoryAccount& memory);
  ~ProcessService() override;

  grpc::CallHandler* start(std::string_view path, grpc::Call& call) override;

  /// Calls in progress, those included whose connection is gone and whose handler has not returned
  /// yet.
  std::size_t calls() const;
  /// The exchange of a call; null where the call is another service's.
  static const host::Exchange* exchange_of(const grpc::CallHandler& call);

 private:
  class ProcessCall;
  friend class ProcessCall;
  struct Pool;
  void renew_pool();

  std::unique_ptr<Pool> pool_;
  /// Pools whose calls go on.
  std::vector<std::unique_ptr<Pool>> former_;
};

}  // namespace extproc::server
