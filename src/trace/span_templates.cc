#include "trace/span_templates.h"

#include <string>

namespace extproc::trace {
namespace {

// What the conventions of RPCs take for an error of a server's.
bool is_error(GrpcStatus status) {
  switch (status) {
    case GrpcStatus::unknown:
    case GrpcStatus::deadline_exceeded:
    case GrpcStatus::unimplemented:
    case GrpcStatus::internal:
    case GrpcStatus::unavailable:
    case GrpcStatus::data_loss:
      return true;
    default:
      return false;
  }
}

}  // namespace

SpanTemplates::SpanTemplates(std::string_view processor) {
  process_.name("process")
      .kind(SpanKind::server)
      .attribute("rpc.system.name", "grpc")
      .attribute("rpc.method", "envoy.service.ext_proc.v3.ExternalProcessor/Process")
      .attribute("extproc.processor", processor);
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    const auto outcome = static_cast<PhaseOutcome>(i);
    outcomes_[i].attribute("extproc.outcome", to_string(outcome));
    if (outcome == PhaseOutcome::failed) outcomes_[i].error("the handler failed");
  }
  for (std::size_t i = 0; i < kStatuses; ++i) {
    const auto status = static_cast<GrpcStatus>(i);
    statuses_[i].attribute("rpc.response.status_code", to_string(status));
    if (is_error(status)) statuses_[i].attribute("error.type", to_string(status)).error({});
  }
}

const SpanFields& SpanTemplates::phase(std::string_view processor, Phase phase) {
  const auto place = static_cast<std::size_t>(phase);
  for (const auto& each : processors_) {
    if (each->name == processor.data()) return each->phases[place];
  }
  auto& made = processors_.emplace_back(std::make_unique<OfProcessor>());
  made->name = processor.data();
  for (std::size_t i = 0; i < kPhaseCount; ++i) {
    const std::string_view name = to_string(static_cast<Phase>(i));
    made->phases[i]
        .name("process." + std::string(name))
        .kind(SpanKind::internal)
        .attribute("extproc.processor", processor)
        .attribute("extproc.phase", name);
  }
  return made->phases[place];
}

}  // namespace extproc::trace
