#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/struct.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing::envoy {

/// The dynamic metadata of an HTTP stream, as a module reads and sets it.
class ModuleMetadata {
 public:
  /// As the filters in front have set it.
  explicit ModuleMetadata(const Exchange& exchange);

  /// `bytes` is a serialised Struct.
  void set(std::string_view space, std::string_view bytes);
  /// `bytes` is a serialised Any.
  void set_typed(std::string_view space, std::string_view bytes);

  /// Views, until the namespace is set again.
  std::vector<std::string_view> keys(std::string_view space) const;
  std::optional<ValueView> find(std::string_view space, std::string_view key) const;
  /// A serialised Any; null where there is none.
  const std::string* typed(std::string_view space) const;

  /// What the module has set, by namespace.
  const std::map<std::string, Struct>& taken() const { return taken_; }

 private:
  std::map<std::string, Struct, std::less<>> all_;
  std::map<std::string, std::string, std::less<>> typed_;
  std::map<std::string, Struct> taken_;
};

}  // namespace extproc::testing::envoy
