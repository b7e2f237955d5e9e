#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/memory_account.h"
#include "grpc/connection.h"
#include "grpc/deadline_wheel.h"
#include "grpc/health.h"
#include "server/process_service.h"
#include "service_under_test.h"

namespace extproc::fuzz {

/// A connection with both services and a clock that stands still until it is told.
class ConnectionUnderTest {
 public:
  /// Bit 0 of `mode`: handlers suspend. Bit 1: shut down in the middle. Bit 2: small limits. Bit 4:
  /// handlers are over whole bodies.
  explicit ConnectionUnderTest(std::uint8_t mode);
  ~ConnectionUnderTest();

  bool receive(std::string_view bytes);
  /// What the peer would read.
  std::string take_output();
  /// Lets time pass: deadlines, and the handlers that are suspended.
  void pass(std::chrono::milliseconds time);

 private:
  class Account final : public MemoryAccount {
   public:
    using MemoryAccount::MemoryAccount;

   private:
    bool on_change(std::ptrdiff_t) override { return false; }
  };

  void shut_down_by_and_by();

  const bool shuts_down_;
  Limits limits_;
  ServiceUnderTest service_;
  grpc::DeadlineWheel deadlines_;
  Counter held_;
  Account memory_{held_};
  grpc::BufferPool buffers_{&memory_};
  server::ProcessService process_;
  grpc::HealthService health_{{server::ProcessService::kName}};
  std::array<grpc::GrpcService*, 2> services_{&process_, &health_};
  grpc::Clock::time_point now_{std::chrono::seconds(1)};
  std::size_t received_ = 0;
  std::optional<grpc::Connection> connection_;
};

}  // namespace extproc::fuzz
