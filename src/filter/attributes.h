#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "extproc/host.h"

namespace extproc::filter {

/// Whether Envoy tells a dynamic module this one of its attributes.
bool is_attribute(std::string_view name);

/// Who called, as Envoy has it: valid during the hook.
std::string_view source_address(void* envoy);

/// Whether Envoy tells modules the keys of dynamic metadata.
bool tells_metadata();

/// What Envoy tells of an HTTP stream besides its messages, asked for when a message is kept.
class EnvoySource final : public host::MessageSource {
 public:
  /// All must outlive it. Namespaces are of dynamic metadata.
  EnvoySource(void* envoy, const std::vector<std::string>& attributes,
              const std::vector<std::string>& namespaces)
      : envoy_(envoy), attributes_(attributes), namespaces_(namespaces) {}

  void store_attributes(std::string& out) const override;
  void store_metadata(std::string& out) const override;

 private:
  void* envoy_;
  const std::vector<std::string>& attributes_;
  const std::vector<std::string>& namespaces_;
};

}  // namespace extproc::filter
