#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "extproc/processing_mode.h"

namespace extproc {

/// What a processor must have of Envoy's filter besides the phases that it handles, said once, by
/// Processor::needs():
///
///   extproc::Needs needs() const override {
///     return {.response_body_mode = extproc::BodySendMode::streamed,
///             .request_attributes = {"source.address"}};
///   }
///
/// `extproc config` and `dev` write it into the filter, `extproc check` says where a filter lacks
/// it, the test kit tells it in EnvoyResult::unmet_needs, and a server takes the times and rules
/// where its FilterSettings have Envoy's default. The command's flags of the same names are
/// stronger. What is left as it is, is not needed: a filter may have it all the same.
///
/// The filter of a chain gives what any of its processors needs: the longest times, all names, and
/// observability_mode where all ask for it.
struct Needs {
  /// How the handler of a body expects it: the mode that the filter sends it in. Processors of one
  /// chain that state two different ones cannot share a filter, which is an Error where it is
  /// asked, but not of a server: the command's flags may choose one for both. Unset: the handler
  /// takes it as it comes; a way that suits it is written.
  std::optional<BodySendMode> request_body_mode{};
  std::optional<BodySendMode> response_body_mode{};
  /// The answer to each of these headers waits for the handler over the whole body
  /// (HeadersResponse::wait_for_body, which says where it can): the body comes in
  /// FULL_DUPLEX_STREAMED, or in STREAMED with send_body_without_waiting_for_header_response.
  bool request_headers_wait_for_body = false;
  bool response_headers_wait_for_body = false;
  /// Trailers are sent though no handler is for them.
  bool request_trailers = false;
  bool response_trailers = false;
  /// Handlers of later phases ask for the request's method, path or id, which come with its
  /// headers.
  bool request_data = true;
  /// Names that Context::attribute is asked for: `request_attributes`, `response_attributes`.
  std::vector<std::string> request_attributes{};
  std::vector<std::string> response_attributes{};
  /// Namespaces that Context::filter_metadata is asked for, of what others set
  /// (`metadata_options.forwarding_namespaces.untyped`), and those that set_dynamic_metadata names
  /// (`receiving_namespaces.untyped`); one that is set and not stated is logged once. Typed
  /// metadata cannot be stated.
  std::vector<std::string> metadata_read{};
  std::vector<std::string> metadata_set{};
  /// The processor answers with HeadersResponse::override_mode: `allow_mode_override`.
  bool mode_override = false;
  /// It only looks: `observability_mode`, so that no request waits for it.
  bool observability_mode = false;
  /// `send_body_without_waiting_for_header_response`, which excludes mode_override.
  bool send_body_without_waiting_for_header_response = false;
  /// At least so long: `message_timeout`, and `max_message_timeout` for more.
  std::optional<std::chrono::milliseconds> message_timeout{};
  std::optional<std::chrono::milliseconds> max_message_timeout{};
  /// `mutation_rules.allow_all_routing`, `mutation_rules.allow_envoy`: it changes such headers.
  bool allow_all_routing = false;
  bool allow_envoy = false;

  friend bool operator==(const Needs&, const Needs&) = default;
};

}  // namespace extproc
