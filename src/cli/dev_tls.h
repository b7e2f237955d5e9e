#pragma once

#include <filesystem>
#include <memory>

#include "envoy/write/documents.h"
#include "extproc/transport.h"

namespace extproc::cli {

/// Mutual TLS between Envoy and the processors of one run.
struct DevTls {
  /// What the servers speak.
  std::shared_ptr<Transport> transport;
  /// What Envoy does; its files of SDS belong into the same folder.
  envoy_config::ProcessorTls envoy;
};

/// Makes certificates for the loopback in the folder, and what is served and asked with them.
/// Throws Error.
DevTls make_dev_tls(const std::filesystem::path& folder);

}  // namespace extproc::cli
