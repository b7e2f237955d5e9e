#pragma once

#include <memory>
#include <string_view>

#include "grpc/call.h"

namespace extproc::grpc {

class DescriptorIndex;

/// grpc.reflection.v1.ServerReflection and its v1alpha, for one thread: what is in an index. What
/// is not there is an error within its answer, NOT_FOUND. On one stream no file is sent again but
/// the one that is asked for, as the protocol allows.
class ReflectionService final : public GrpcService {
 public:
  /// `index` must outlive it.
  explicit ReflectionService(const DescriptorIndex& index);
  ~ReflectionService() override;

  CallHandler* start(std::string_view path, Call& call) override;

  /// Ends streams that are open, and those that come, with UNAVAILABLE: a client may keep one for
  /// as long as it runs.
  void end_streams();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace extproc::grpc
