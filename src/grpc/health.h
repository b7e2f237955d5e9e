#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "grpc/call.h"

namespace extproc::grpc {

/// grpc.health.v1.Health, Check and Watch, for one thread. It knows "" (the server as a whole) and
/// the names given; another name is NOT_FOUND in Check and SERVICE_UNKNOWN in Watch, as the health
/// protocol says.
class HealthService final : public GrpcService {
 public:
  explicit HealthService(std::vector<std::string_view> names);
  ~HealthService() override;

  CallHandler* start(std::string_view path, Call& call) override;

  /// What is told from now on; open Watches are told at once. SERVING at first.
  void set_serving(bool serving);

  /// Ends open Watches, and those that come, with UNAVAILABLE once they have been told: they have
  /// no end of their own, and a server that waits for open calls would wait for them.
  void end_watches();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace extproc::grpc
