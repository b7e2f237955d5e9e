#pragma once

#include <string>

namespace extproc::envoy_config {

/// The Envoy that this library is held to: what is written, checked and played here is what this
/// one was seen to do. tests/repository holds the scripts and the pages to it.
inline constexpr char kEnvoyVersion[] = "1.40";

/// "Envoy 1.40", for texts.
inline std::string versioned_envoy() { return std::string("Envoy ") + kEnvoyVersion; }

}  // namespace extproc::envoy_config
