#include "cli/dev_tls.h"

#include <chrono>
#include <string>

#include "cli/tls_build.h"
#include "extproc/error.h"
#ifdef EXTPROC_WITH_TLS
#include "extproc/tls.h"
#include "tls/make_certificates.h"
#endif

namespace extproc::cli {

#ifdef EXTPROC_WITH_TLS

DevTls make_dev_tls(const std::filesystem::path& folder) {
  // A desk may be left on over a week-end.
  constexpr std::chrono::hours kLifetime{24 * 14};
  const tls::MadeCertificates made = tls::make_certificates(
      folder, {"DNS:localhost", "IP:127.0.0.1"}, {"DNS:envoy.extproc-dev.invalid"}, kLifetime);
  TlsSettings settings;
  settings.certificate_file = made.server;
  settings.key_file = made.server_key;
  settings.client_ca_file = made.ca;
  envoy_config::ProcessorTls envoy;
  envoy.ca = made.ca;
  envoy.certificate = made.client;
  envoy.key = made.client_key;
  envoy.server_name = "localhost";
  envoy.sds_folder = folder;
  return {tls_transport(std::move(settings)), std::move(envoy)};
}

#else

DevTls make_dev_tls(const std::filesystem::path& /*folder*/) { throw Error(why_no_tls("--tls")); }

#endif

}  // namespace extproc::cli
