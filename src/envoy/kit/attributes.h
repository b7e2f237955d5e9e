#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "envoy/kit/header_map.h"

namespace extproc::testing::envoy {

/// What attributes are computed from; null is not there yet.
struct AttributeSource {
  const HeaderMap* request = nullptr;
  const HeaderMap* response = nullptr;
  std::size_t request_bytes = 0;
  std::size_t response_bytes = 0;
  /// Why Envoy answers what it answers: response.code_details.
  std::string_view code_details{};
  /// Values that the test gave, by name.
  const std::map<std::string, std::string>* given = nullptr;
};

/// Whether the name is one of Envoy's attributes.
bool is_known_attribute(std::string_view name);

/// The `attributes` of a ProcessingRequest: its one map entry, serialised. Attributes without a
/// value are left out, as Envoy does.
std::string write_attributes(const std::vector<std::string>& names, const AttributeSource& source);

/// A `Metadata` with these namespaces, each a serialised Struct.
std::string write_metadata(const std::map<std::string, std::string>& namespaces);

/// A serialised Struct of texts.
std::string write_struct(const std::map<std::string, std::string>& fields);

}  // namespace extproc::testing::envoy
