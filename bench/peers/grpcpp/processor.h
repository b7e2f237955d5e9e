#pragma once

#include <string>

#include "envoy/service/ext_proc/v3/external_processor.grpc.pb.h"

namespace bench {

enum class Variant { headers, buffered, streamed, fds };

/// The benchmark's processor on grpc++'s callback API. What each variant answers is in
/// bench/README.md.
class Processor final : public envoy::service::ext_proc::v3::ExternalProcessor::CallbackService {
 public:
  explicit Processor(Variant variant);

 private:
  using Request = envoy::service::ext_proc::v3::ProcessingRequest;
  using Response = envoy::service::ext_proc::v3::ProcessingResponse;

  grpc::ServerBidiReactor<Request, Response>* Process(
      grpc::CallbackServerContext* context) override;

  Variant variant_;
  std::string replacement_;
};

}  // namespace bench
