#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/filter_settings.h"
#include "extproc/own_settings.h"
#include "extproc/phase.h"
#include "extproc/processing_mode.h"

namespace extproc::filter {

/// Where none is stated that is one of an error.
inline constexpr int kStatusOnError = 500;

/// What `filter_config` says; docs/in-envoy.md has its keys. What has the name of a field of
/// ext_proc's filter means the same.
struct FilterConfig {
  struct Processor {
    /// "module.Name", or "Name" of one in the filter's own file.
    std::string name;
    OwnSettings settings{};
  };
  /// In the order of the request. Never empty.
  std::vector<Processor> processors{};
  /// Folders of modules, before those that are looked into in any case.
  std::vector<std::string> module_path{};

  /// Whether headers and trailers are sent; by the number of their phase. Unset: where they are
  /// needed.
  std::array<std::optional<HeaderSendMode>, kPhaseCount> send{};
  /// Unset: as its handler states it, or as suits that.
  std::optional<BodySendMode> request_body_mode{};
  std::optional<BodySendMode> response_body_mode{};
  bool send_body_without_waiting = false;
  bool observability_mode = false;
  bool failure_mode_allow = false;
  /// What a caller gets where a processor fails, and failure_mode_allow is not set.
  int status_on_error = kStatusOnError;
  FilterSettings filter{};
  std::vector<std::string> request_attributes{};
  std::vector<std::string> response_attributes{};
  /// Namespaces of dynamic metadata that processors are told of.
  std::vector<std::string> metadata_namespaces{};
  std::vector<std::string> typed_metadata_namespaces{};

  /// Empty: none.
  std::string chain_header{};
  unsigned blocking_threads = 0;
  unsigned blocking_queue = 0;
  /// What all requests of the filter may keep for their processors, in bytes.
  std::size_t memory_bytes = 0;
  std::size_t held_bytes = 0;
  std::chrono::milliseconds held_time{};

  /// All of it: once the processors are made, check_all_read() tells of keys that there are not.
  OwnSettings all{};
};

/// What a route says: that the filter is off, or another `filter_config` in its place.
struct RouteConfig {
  bool disabled = false;
  std::optional<FilterConfig> config{};
};

/// Reads `text`; `filter_name` is the processor's where it names none. Throws Error.
FilterConfig read_filter_config(std::string_view filter_name, std::string_view text);
RouteConfig read_route_config(std::string_view filter_name, std::string_view text);

}  // namespace extproc::filter
