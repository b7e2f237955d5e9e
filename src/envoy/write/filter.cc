#include "envoy/write/document_parts.h"
#include "rules/needs.h"

namespace extproc::envoy_config {
namespace {

void write_timeouts(YamlWriter& out, const FilterSettings& filter) {
  out.comment("How long Envoy waits for each answer. Then the request fails with 504, or goes on.");
  out.field("message_timeout", duration(filter.message_timeout));
  if (filter.max_message_timeout.count() == 0) return;
  out.comment("As much as the processor may ask for instead, once for each message.");
  out.field("max_message_timeout", duration(filter.max_message_timeout));
}

/// Without it a stream that meets a replica which has just died fails.
void write_retries(YamlWriter& out) {
  out.comment("A stream that cannot be begun on one replica begins on another.");
  const auto policy = out.block("retry_policy");
  std::string reasons;
  for (const std::string_view reason : kRetriedBecause)
    reasons += (reasons.empty() ? "" : ",") + std::string(reason);
  out.field("retry_on", reasons);
  out.field("num_retries", kRetries);
  out.line("retry_back_off: { base_interval: " + duration(kRetryInterval) +
           ", max_interval: " + duration(kLongestRetryInterval) + " }");
  {
    const auto predicates = out.block("retry_host_predicate");
    const auto item = out.item("name: envoy.retry_host_predicates.previous_hosts");
    const auto config = out.block("typed_config");
    write_type(out, "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate");
  }
  out.field("host_selection_retry_max_attempts", "10");
}

void write_overrides(YamlWriter& out, const Needs& needs) {
  const auto& modes = needs.filter.allowed_override_modes;
  if (!needs.overrides_mode()) return;
  out.comment("The processor may change the processing mode for the rest of a request.");
  out.field("allow_mode_override", "true");
  if (modes.empty()) return;
  const auto list = out.block("allowed_override_modes");
  for (const ModeOverride& mode : modes) {
    std::string fields;
    for (const char c : to_string(mode)) {
      if (c == '=') {
        fields += ": ";
      } else if (c == ',') {
        fields += ", ";
      } else {
        fields += c;
      }
    }
    out.line("- { " + fields + " }");
  }
}

/// Of headers or trailers.
void write_header_mode(YamlWriter& out, Phase phase, const ProcessingMode& mode) {
  out.field(mode_field(phase),
            to_string(mode.sends(phase) ? HeaderSendMode::send : HeaderSendMode::skip));
}

/// Why the request's headers are sent, or are not, where that is not plain.
void write_request_headers(YamlWriter& out, const Needs& needs, const ProcessingMode& mode) {
  if (mode.sends(Phase::request_headers) && !needs.handled.contains(Phase::request_headers)) {
    out.comment(
        "No handler of its own, but method, path and id of the request come with its headers.");
  }
  write_header_mode(out, Phase::request_headers, mode);
}

void write_response_headers(YamlWriter& out, const Needs& needs, const ProcessingMode& mode) {
  if (mode.sends(Phase::response_headers) && !needs.handled.contains(Phase::response_headers) &&
      !needs.chain_header.empty()) {
    out.comment("No handler of its own: " + needs.chain_header + " is added here.");
  }
  write_header_mode(out, Phase::response_headers, mode);
}

void write_body(YamlWriter& out, Phase phase, const ProcessingMode& modes) {
  const BodySendMode mode = modes.body(phase);
  if (mode == BodySendMode::buffered) {
    out.comment(
        "The whole body in one message; Envoy refuses one over the listener's buffer limit.");
  } else if (mode == BodySendMode::buffered_partial) {
    out.comment("As much of the body as fits the buffer, in one message; the rest passes by.");
  } else if (mode == BodySendMode::streamed) {
    out.comment("Chunk by chunk, one answer each. Headers cannot be changed any more.");
  } else if (mode == BodySendMode::full_duplex_streamed) {
    out.comment("Chunk by chunk, any number of answers; trailers must be sent too. No time-out.");
  }
  out.field(mode_field(phase), to_string(mode));
}

}  // namespace

void write_failure_mode(YamlWriter& out, const DocumentOptions& options) {
  out.comment(options.failure_mode_allow
                  ? "A request goes on without a processor that fails or cannot be reached."
                  : "A request fails when the processor fails or cannot be reached.");
  out.field("failure_mode_allow", options.failure_mode_allow ? "true" : "false");
}

void write_mutation_rules(YamlWriter& out, const FilterSettings& filter) {
  if (!filter.allow_all_routing && !filter.allow_envoy) return;
  out.comment("Headers that Envoy does not let a processor change by default.");
  const auto block = out.block("mutation_rules");
  if (filter.allow_all_routing) out.field("allow_all_routing", "true");
  if (filter.allow_envoy) out.field("allow_envoy", "true");
}

void write_content_length(YamlWriter& out, const FilterSettings& filter) {
  if (!filter.allow_content_length_header) return;
  out.comment("content-length stays where a body is streamed; the processor removes it where it");
  out.comment("handles that body.");
  out.field("allow_content_length_header", "true");
}

void write_mode(YamlWriter& out, const Needs& needs, const ProcessingMode& mode) {
  const auto block = out.block("processing_mode");
  write_request_headers(out, needs, mode);
  write_response_headers(out, needs, mode);
  write_body(out, Phase::request_body, mode);
  write_body(out, Phase::response_body, mode);
  write_header_mode(out, Phase::request_trailers, mode);
  write_header_mode(out, Phase::response_trailers, mode);
}

void write_filter(YamlWriter& out, const Processor& processor, const DocumentOptions& options) {
  if (processor.in_process) return write_in_process(out, processor, options);
  const auto block = out.block("typed_config");
  write_type(out, "extensions.filters.http.ext_proc.v3.ExternalProcessor");
  {
    const auto service = out.block("grpc_service");
    out.comment(
        "No timeout: it would be that of the stream, which lasts as long as the request and its "
        "response.");
    out.line("envoy_grpc: { cluster_name: " + scalar(processor.cluster) + " }");
    write_retries(out);
  }
  write_failure_mode(out, options);
  const FilterSettings filter = rules::filled_in(processor.needs.filter, processor.needs.stated);
  write_timeouts(out, filter);
  write_mutation_rules(out, filter);
  write_stated(out, processor.needs);
  write_overrides(out, processor.needs);
  write_content_length(out, filter);
  out.comment("Only what the processor handles: each phase that is sent costs a round trip.");
  write_mode(out, processor.needs, needed_mode(processor.needs));
}

void write_upgrade_override(YamlWriter& out, const Processor& processor,
                            const DocumentOptions& options) {
  ProcessingMode mode = needed_mode(processor.needs);
  for (BodySendMode* body : {&mode.request_body, &mode.response_body}) {
    if (is_held(*body)) *body = BodySendMode::none;
  }
  const auto filter = out.block(scalar(processor.cluster));
  if (processor.in_process) return write_in_process_route(out, processor, mode, options);
  write_type(out, "extensions.filters.http.ext_proc.v3.ExtProcPerRoute");
  const auto overrides = out.block("overrides");
  write_mode(out, processor.needs, mode);
}

}  // namespace extproc::envoy_config
