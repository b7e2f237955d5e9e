#include <chrono>
#include <mutex>
#include <utility>

#include "extproc/error.h"
#include "extproc/tls.h"
#include "server/transport.h"
#include "tls/served_certificates.h"
#include "tls/server_context.h"
#include "tls/session.h"

namespace extproc {
namespace {

class TlsTransport final : public Transport {
 public:
  explicit TlsTransport(TlsSettings settings)
      : settings_(std::move(settings)),
        allowed_(settings_.allowed_sans),
        material_(tls::load_material(settings_)),
        context_(make_context(material_)),
        report_{tls::served_certificates(material_)} {}

  std::unique_ptr<server::SecureSession> open(server::SecureBuffers& buffers) override {
    return std::make_unique<tls::Session>(context(), buffers);
  }

  server::Refreshed refresh() override;

  std::vector<std::string> files() const override {
    std::vector<std::string> files;
    for (const std::string* file : {&settings_.certificate_file, &settings_.key_file,
                                    &settings_.client_ca_file, &settings_.crl_file}) {
      if (!file->empty()) files.push_back(*file);
    }
    return files;
  }

  std::string description() const override {
    const auto context = this->context();
    return std::string(settings_.min_version == TlsVersion::v1_3 ? "TLS 1.3" : "TLS 1.2 and 1.3") +
           ", certificate \"" + context->subject() + "\" until " + context->valid_until() +
           (context->asks_for_certificate() ? ", clients must have a certificate"
                                            : ", clients are not asked for a certificate");
  }

  server::TransportReport report() const override {
    const std::lock_guard lock(context_mutex_);
    return report_;
  }

  std::string warning() const override {
    const std::string problem = context()->validity_problem();
    const std::lock_guard lock(refresh_mutex_);
    return problem.empty() ? "" : material_.certificate.source + ": the certificate " + problem;
  }

 private:
  using ContextPtr = std::shared_ptr<const tls::ServerContext>;

  ContextPtr make_context(const tls::Material& material) const {
    return std::make_shared<const tls::ServerContext>(material, allowed_, settings_.min_version);
  }

  void tell_of_error(const std::string& error) {
    const std::lock_guard lock(context_mutex_);
    report_.reload_error = error;
  }

  ContextPtr context() const {
    const std::lock_guard lock(context_mutex_);
    return context_;
  }

  const TlsSettings settings_;
  const tls::AllowedNames allowed_;
  /// Of what is read anew, by one thread at a time.
  mutable std::mutex refresh_mutex_;
  tls::Material material_;
  /// What could not be used, so that it is told once.
  tls::Material refused_;
  std::string refused_why_;
  mutable std::mutex context_mutex_;
  ContextPtr context_;
  server::TransportReport report_;
};

// A pair is often written one file after the other; what was read between fits in the end.
server::Refreshed TlsTransport::refresh() {
  using Kind = server::Refreshed::Kind;
  const std::lock_guard lock(refresh_mutex_);
  tls::Material now;
  try {
    now = tls::load_material(settings_);
    if (now == material_) {
      refused_why_.clear();
      tell_of_error("");
      return {};
    }
    const ContextPtr context = make_context(now);
    server::TransportReport report{tls::served_certificates(now), std::chrono::system_clock::now()};
    const std::lock_guard context_lock(context_mutex_);
    context_ = context;
    report_ = std::move(report);
  } catch (const Error& error) {
    const bool known = refused_why_ == error.what() && refused_ == now;
    refused_ = std::move(now);
    refused_why_ = error.what();
    tell_of_error(refused_why_);
    if (known) return {};
    return {Kind::failed, std::string("the certificates in use stay, since what was read anew "
                                      "cannot be used: ") +
                              error.what()};
  }
  material_ = std::move(now);
  refused_why_.clear();
  return {Kind::reloaded, "what was read anew counts for new connections: " + description()};
}

}  // namespace

std::shared_ptr<Transport> tls_transport(TlsSettings settings) {
  return std::make_shared<TlsTransport>(std::move(settings));
}

}  // namespace extproc
