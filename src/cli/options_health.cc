#include <functional>
#include <vector>

#include "cli/option_groups.h"
#include "cli/tls_build.h"
#include "extproc/error.h"
#include "server/environment.h"
#include "server/values.h"

namespace extproc::cli {
namespace {

using server::ListenAddress;
using server::TcpAddress;

constexpr const char* kHealthFooter =
    "Exit status: 0 when the server says that it is SERVING; 1 when it says something else or "
    "cannot\n"
    "be asked, which one line tells; 2 for wrong usage. A server of extproc knows the services\n"
    "envoy.service.ext_proc.v3.ExternalProcessor and the processor's name. Each --tls flag is "
    "--tls, too.\n"
    "What is not given is taken from EXTPROC_HEALTH_ADDRESS, EXTPROC_HEALTH_TLS_CA, _TLS_CERT, "
    "_TLS_KEY\n"
    "and _TLS_SERVER_NAME, for checks that are part of an image.";

constexpr std::chrono::milliseconds kShortestTimeout{1};

ListenAddress parse_peer(const std::string& text) {
  ListenAddress address;
  try {
    address = server::parse_listen_address("ADDRESS", text);
  } catch (const Error& error) {
    throw CLI::ValidationError(error.what());
  }
  const auto* tcp = std::get_if<TcpAddress>(&address);
  if (tcp != nullptr && tcp->port == 0) {
    throw CLI::ValidationError("ADDRESS \"" + text +
                               "\": port 0 is no port to connect to: name the server's own");
  }
  return address;
}

std::chrono::milliseconds parse_timeout(const std::string& text) {
  const auto time = server::parse_seconds(text);
  if (time && *time >= kShortestTimeout) return *time;
  throw CLI::ValidationError("--timeout is \"" + text +
                             "\": it must be a number of seconds from 0.001 to a year, as in "
                             "\"1\" or \"0.5\"");
}

/// The name that a server's certificate is for where it is found at `address`.
std::string name_of_host(const ListenAddress& address) {
  const auto* tcp = std::get_if<TcpAddress>(&address);
  if (tcp == nullptr) return "";
  if (tcp->any_host) return "localhost";
  std::string name = tcp->host.substr(0, tcp->host.find('%'));
  if (name.ends_with('.')) name.pop_back();
  return name;
}

void check_tls(HealthOptions& options) {
  if (!options.tls) return;
  tls::ClientSettings& tls = *options.tls;
  if (tls.certificate_file.empty() != tls.key_file.empty()) {
    const bool has_key = tls.certificate_file.empty();
    throw CLI::ValidationError(std::string(has_key ? "--tls-key" : "--tls-cert") +
                               " was given alone: give " + (has_key ? "--tls-cert" : "--tls-key") +
                               " with it");
  }
  if (tls.server_name.empty()) tls.server_name = name_of_host(options.address);
  if (tls.server_name.empty()) {
    throw CLI::ValidationError(
        "a Unix domain socket has no name that a certificate could be for: give --tls-server-name");
  }
}

void require_tls_in_build(const std::string& flag) {
  if (const std::string why = why_no_tls(flag); !why.empty()) throw CLI::ValidationError(why);
}

using Set = std::function<void(const std::string&)>;

/// What is set by a flag, or where it is not given by a variable of the environment.
struct FromEnvironment {
  CLI::Option* option;
  const char* variable;
  Set set;

  bool take() const {
    if (option->count() > 0) return true;
    const auto text = server::process_environment(variable);
    if (text) set(*text);
    return text.has_value();
  }
};
using Variables = std::vector<FromEnvironment>;

void add_tls_text(CLI::App& app, const std::string& flag, const std::string& type,
                  std::string tls::ClientSettings::*member, std::optional<tls::ClientSettings>& tls,
                  const std::string& help, const char* variable, Variables& variables) {
  const auto set = [&tls, member, flag](const std::string& text) {
    require_tls_in_build(flag);
    if (text.empty()) throw CLI::ValidationError(flag + " is empty: leave it out, or give a text");
    if (!tls) tls.emplace();
    (*tls).*member = text;
  };
  variables.push_back(
      {app.add_option_function<std::string>(flag, set, help)->type_name(type)->group("TLS"),
       variable, set});
}

void add_tls_options(CLI::App& app, std::optional<tls::ClientSettings>& tls, Variables& variables) {
  const auto switch_on = [&tls] {
    require_tls_in_build("--tls");
    if (!tls) tls.emplace();
  };
  app.add_flag_callback("--tls", switch_on, "Speak TLS; the CAs are the system's")->group("TLS");
  add_tls_text(app, "--tls-ca", "FILE", &tls::ClientSettings::ca_file, tls,
               "The CA of the server's certificate, PEM (the system's)", "EXTPROC_HEALTH_TLS_CA",
               variables);
  add_tls_text(app, "--tls-cert", "FILE", &tls::ClientSettings::certificate_file, tls,
               "Certificate to show to the server, PEM (none)", "EXTPROC_HEALTH_TLS_CERT",
               variables);
  add_tls_text(app, "--tls-key", "FILE", &tls::ClientSettings::key_file, tls,
               "Its key, PEM without a password", "EXTPROC_HEALTH_TLS_KEY", variables);
  add_tls_text(app, "--tls-server-name", "NAME", &tls::ClientSettings::server_name, tls,
               "Name or IP address that the server's certificate is for (the host of ADDRESS)",
               "EXTPROC_HEALTH_TLS_SERVER_NAME", variables);
}

}  // namespace

void add_health_options(CLI::App& app, HealthOptions& options) {
  const auto set_address = [&options](const std::string& text) {
    options.address = parse_peer(text);
  };
  CLI::Option* address =
      app.add_option_function<std::string>(
             "address", set_address,
             "Where the server is: host:port, [v6]:port, unix:/path, or a port of this machine")
          ->type_name("ADDRESS");
  app.add_option("--service", options.service, "Which of its services (the server as a whole)")
      ->type_name("NAME");
  const auto set_timeout = [&options](const std::string& text) {
    options.timeout = parse_timeout(text);
  };
  app.add_option_function<std::string>("--timeout", set_timeout,
                                       "How long all of it may take, from 0.001 to a year (1)")
      ->type_name("SECONDS");
  Variables variables;
  add_tls_options(app, options.tls, variables);
  app.footer(kHealthFooter);
  const FromEnvironment where{address, "EXTPROC_HEALTH_ADDRESS", set_address};
  app.callback([&options, where, variables] {
    if (!where.take()) throw CLI::RequiredError("address");
    for (const FromEnvironment& variable : variables) variable.take();
    check_tls(options);
  });
}

}  // namespace extproc::cli
