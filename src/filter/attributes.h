#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/host.h"
#include "filter/filter_config.h"

namespace extproc::filter {

/// Whether Envoy tells a dynamic module this one of its attributes.
bool is_attribute(std::string_view name);
/// By Envoy's number of it; empty for those that it does not tell.
std::string_view attribute_name(int number);

/// Who called, as Envoy has it: valid during the hook.
std::string_view source_address(void* envoy);

/// Envoy's number of the caller's connection.
std::uint64_t connection_id(void* envoy);

/// Whether the router has chosen who gets the request: its headers have reached it.
bool has_upstream(void* envoy);

/// Whether there is dynamic metadata that processors are told of.
bool tells_metadata(const FilterConfig& config);

/// What kind of value a key of dynamic metadata had last: Envoy is asked for one kind at a time.
class MetadataKinds {
 public:
  /// Lists are told whose values are of one of these kinds; what is within another is not.
  enum class Kind : std::uint8_t { text, number, boolean, texts, numbers, booleans };

  std::optional<Kind> find(std::string_view space, std::string_view key) const;
  void note(std::string_view space, std::string_view key, Kind kind);

 private:
  std::map<std::pair<std::string, std::string>, Kind> known_;
};

/// What Envoy tells of an HTTP stream besides its messages, asked for when a message is kept.
class EnvoySource final : public host::MessageSource {
 public:
  /// All must outlive it.
  EnvoySource(void* envoy, const std::vector<std::string>& attributes, const FilterConfig& config,
              MetadataKinds& kinds)
      : envoy_(envoy), attributes_(attributes), config_(config), kinds_(kinds) {}

  void store_attributes(std::string& out) const override;
  void store_metadata(std::string& out) const override;

 private:
  void* envoy_;
  const std::vector<std::string>& attributes_;
  const FilterConfig& config_;
  MetadataKinds& kinds_;
};

}  // namespace extproc::filter
