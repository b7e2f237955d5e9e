#include "cli/option_groups.h"
#include "cli/tls_build.h"

namespace extproc::cli {
namespace {

constexpr const char* kGroup = "TLS";

CLI::Option* add_file(CLI::App& app, const std::string& flag, std::string& file,
                      const std::string& help) {
  return app.add_option(flag, file, help)
      ->type_name("FILE")
      ->group(kGroup)
      ->check([flag](const std::string& /*file*/) { return why_no_tls(flag); });
}

void set_min_version(TlsSettings& tls, const std::string& text) {
  if (text != "1.2" && text != "1.3")
    throw CLI::ValidationError("--tls-min-version", "\"" + text + "\" is neither 1.2 nor 1.3");
  tls.min_version = text == "1.3" ? TlsVersion::v1_3 : TlsVersion::v1_2;
}

}  // namespace

void add_tls_options(CLI::App& app, TlsSettings& tls) {
  CLI::Option* certificate =
      add_file(app, "--tls-cert", tls.certificate_file,
               "Speak TLS: the server's certificate, and those between it and its CA (PEM). Read "
               "anew when it changes, as are the files below");
  CLI::Option* key = add_file(app, "--tls-key", tls.key_file, "Its private key (PEM)");
  certificate->needs(key);
  key->needs(certificate);
  CLI::Option* authority = add_file(app, "--tls-client-ca", tls.client_ca_file,
                                    "Let in only clients with a certificate of these CAs (PEM)");
  authority->needs(certificate);
  app.add_option("--tls-allow-san", tls.allowed_sans,
                 "Of those only clients with this name in their certificate: dns:NAME, uri:URI, or "
                 "spiffe://DOMAIN/ for all of a trust domain; may be repeated (any)")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->take_all()
      ->group(kGroup)
      ->needs(authority);
  add_file(app, "--tls-crl", tls.crl_file,
           "Certificates that those CAs revoked, one list of each CA (PEM)")
      ->needs(authority);
  app.add_option_function<std::string>(
         "--tls-min-version", [&tls](const std::string& text) { set_min_version(tls, text); },
         "1.2 or 1.3 (1.2)")
      ->type_name("VERSION")
      ->group(kGroup)
      ->needs(certificate);
}

}  // namespace extproc::cli
