#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "extproc/testing/envoy.h"
#include "testing/struct_copy.h"

namespace extproc::testing::envoy {

/// Writes into the result what happened besides the messages themselves.
class Record {
 public:
  explicit Record(EnvoyResult& result) : result_(result) {}

  void count(const std::string& counter) { ++result_.statistics[counter]; }
  void refuse(std::optional<Phase> phase, std::string_view rule, std::string_view field,
              std::string text) {
    result_.refusals.push_back({phase, std::string(rule), std::string(field), std::move(text)});
  }
  void take_metadata(const std::string& name, const StructView& fields) {
    merge(result_.dynamic_metadata[name], fields);
  }
  void take_mode(const ModeOverride& mode) { result_.mode_overrides.push_back(mode); }

 private:
  EnvoyResult& result_;
};

}  // namespace extproc::testing::envoy
