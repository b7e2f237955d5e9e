#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "extproc/client.h"

namespace extproc::client {

/// Shared by all connections, from any thread.
struct Tls {
  explicit Tls(TlsSettings from);

  TlsSettings settings;
  boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
};

/// Throws Error where a file cannot be used.
std::shared_ptr<Tls> make_tls(const TlsSettings& settings);

}  // namespace extproc::client
