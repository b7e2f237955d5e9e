#pragma once

#include <string>
#include <string_view>

#include "extproc/service.h"
#include "extproc/testing/envoy.h"

/// Envoy in memory with processors inside it. Link extproc::testing_inside.
namespace extproc::testing {

/// Envoy 1.40 with libextproc_envoy.so in its filter for dynamic modules, and one processor in
/// that:
///
///   extproc::testing::InsideEnvoy envoy("processing_mode: {request_body_mode: BUFFERED}");
///   auto result = envoy.run(processor, {.request = {.body = {"hello"}}});
///   EXPECT_EQ(result.caller.status, 200);
///
/// Of the result `statistics` are the filter's own ("streams_started", ...). Nothing is refused by
/// Envoy and nothing is sent to a server, so that `refusals`, `messages`, `mode_overrides` and
/// `unmet_needs` are empty: what of an answer does not go is in `violations`.
///
/// A handler that waits for something outside of the test (a timer, a thread) is waited for, and so
/// is what the filter itself times (held_time); what else `Exchange` says of time costs none.
class InsideEnvoy {
 public:
  /// `filter_config` is YAML or JSON: the `filter_config`, what it stands in (DynamicModuleFilter),
  /// or the whole entry of `http_filters`. What it says of processors (`processors`, `settings`,
  /// `module_path`) does not count. Throws EnvoyConfigError where the filter refuses it.
  explicit InsideEnvoy(std::string_view filter_config, EnvoyOptions options = {});

  /// Plays one exchange and returns when it is over and every handler has returned; a handler that
  /// does not return in ten seconds is cancelled, and after ten more given up, which the log tells
  /// of. Can be called
  /// again, from several threads at once. The processor is neither started nor stopped.
  ///
  /// Of Exchange::per_route the last counts: a `filter_config` in place of the filter's, or
  /// {"disabled": true}. EnvoyOptions::grpc_metadata and peer_certificate are of calls that there
  /// are not here; `peer` is the caller, and the filter_config has the applied_header. What the
  /// processor answers never makes it throw; EnvoyConfigError is thrown where the filter refuses
  /// the configuration with this processor, or the route's.
  EnvoyResult run(const Service& processor, const Exchange& exchange) const;

 private:
  /// JSON.
  std::string config_;
  EnvoyOptions options_;
};

}  // namespace extproc::testing
