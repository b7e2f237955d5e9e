#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "grpc/health_messages.h"

namespace extproc::cli {

struct HealthRequest {
  /// "http", or "https" over TLS.
  std::string scheme;
  std::string authority;
  /// Empty: the server as a whole.
  std::string service{};
};

/// The client's side of one call of grpc.health.v1.Health/Check over HTTP/2. It is fed with the
/// bytes of a connection and asked for bytes, and does no I/O itself. What the server sends is
/// bounded. receive(), receive_end() and answer() throw Error, which says what is wrong.
class HealthCall {
 public:
  /// Of all that a server sends.
  static constexpr std::size_t kMostBytes = 128U << 10;
  static constexpr std::size_t kMostHeaderBytes = 16U << 10;
  static constexpr std::size_t kMostMessageBytes = 4U << 10;

  explicit HealthCall(const HealthRequest& request);
  ~HealthCall();
  HealthCall(const HealthCall&) = delete;
  HealthCall& operator=(const HealthCall&) = delete;

  /// Takes bytes of the server, in order.
  void receive(std::string_view bytes);
  /// The connection has ended. Throws, unless the call is over.
  void receive_end();
  /// What is to be sent to the server, for which there may be more after each receive().
  std::string take_output();

  /// Whether the server has ended the call.
  bool is_over() const;
  /// Once it is over: what the server said of its health. Throws where it said something else.
  grpc::ServingStatus answer() const;
  /// Whether any bytes came.
  bool has_received() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace extproc::cli
