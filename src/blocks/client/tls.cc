#include "blocks/client/tls.h"

#include <openssl/ssl.h>

#include <boost/system/error_code.hpp>
#include <string>
#include <utility>

#include "extproc/error.h"

namespace extproc::client {
namespace {

void require(const boost::system::error_code& error, const std::string& what) {
  if (error) {
    throw Error("TLS of a client: " + what + ": " + error.message() +
                ": it must be a file in PEM that can be read");
  }
}

}  // namespace

Tls::Tls(TlsSettings from) : settings(std::move(from)) {
  if (settings.certificate_file.empty() != settings.key_file.empty()) {
    throw Error("TLS of a client: certificate_file and key_file must both be there, or none");
  }
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  boost::system::error_code error;
  if (settings.ca_file.empty()) {
    context.set_default_verify_paths(error);
    require(error, "the system's authorities");
  } else {
    context.load_verify_file(settings.ca_file, error);
    require(error, "ca_file " + settings.ca_file);
  }
  context.set_verify_mode(
      settings.verify ? boost::asio::ssl::verify_peer : boost::asio::ssl::verify_none, error);
  if (settings.certificate_file.empty()) return;
  context.use_certificate_chain_file(settings.certificate_file, error);
  require(error, "certificate_file " + settings.certificate_file);
  context.use_private_key_file(settings.key_file, boost::asio::ssl::context::pem, error);
  require(error, "key_file " + settings.key_file);
}

std::shared_ptr<Tls> make_tls(const TlsSettings& settings) {
  return std::make_shared<Tls>(settings);
}

}  // namespace extproc::client
