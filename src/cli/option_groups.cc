#include "cli/option_groups.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "server/settings_table.h"

namespace extproc::cli {
namespace {

constexpr const char* kFilterGroup = "The filter, as Envoy is configured";
constexpr double kMostSeconds = 365.0 * 24 * 3600;

std::chrono::milliseconds to_milliseconds(const std::string& option, double seconds) {
  // Written so that a NaN is refused.
  if (!(seconds >= 0 && seconds <= kMostSeconds)) {
    throw CLI::ValidationError(option, "must be a number of seconds, from 0 to a year");
  }
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

/// "a,b" as a and b. CLI11's own delimiter drops an empty part, which is a mistake to be told of.
std::vector<std::string> split_services(const std::string& list) {
  std::vector<std::string> services;
  std::string_view rest = list;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string service(rest.substr(0, comma));
    if (service.empty()) {
      throw CLI::ValidationError("--service",
                                 "\"" + list +
                                     "\" has an empty name in it: write module.Name, or "
                                     "several with one comma between them");
    }
    if (std::ranges::find(services, service) != services.end()) {
      throw CLI::ValidationError("--service",
                                 service + " is named twice: name each processor once");
    }
    services.push_back(service);
    if (comma == std::string_view::npos) return services;
    rest.remove_prefix(comma + 1);
  }
}

void add_body_mode(CLI::App& app, const std::string& name, std::optional<BodySendMode>& target,
                   const std::string& help) {
  const auto set = [&target, name](const std::string& text) {
    target = envoy_config::parse_body_mode(text);
    if (target) return;
    throw CLI::ValidationError(name,
                               "\"" + text +
                                   "\" is none of NONE, STREAMED, BUFFERED, BUFFERED_PARTIAL, "
                                   "FULL_DUPLEX_STREAMED");
  };
  app.add_option_function<std::string>(name, set, help)->type_name("MODE");
}

/// Settings in which that one is set.
Settings parsed(std::string_view name, const std::string& flag, const std::string& text) {
  Settings settings;
  server::setting_row(name).set(settings, flag, text);
  return settings;
}

void check_times(const FilterSettings& filter) {
  if (filter.message_timeout.count() == 0) {
    throw CLI::ValidationError("--message-timeout",
                               "0 would make every answer late: give the time for one, at least "
                               "0.001");
  }
  const auto most = filter.max_message_timeout;
  if (most.count() != 0 && most < filter.message_timeout) {
    throw CLI::ValidationError("--max-message-timeout",
                               "it is below --message-timeout: raise it, or leave it out");
  }
}

}  // namespace

CLI::Option* add_seconds(CLI::App& app, const std::string& name,
                         std::optional<std::chrono::milliseconds>& target,
                         const std::string& help) {
  const auto set = [&target, name](double seconds) { target = to_milliseconds(name, seconds); };
  return app.add_option_function<double>(name, set, help)->type_name("SECONDS");
}

CLI::Option* add_seconds(CLI::App& app, const std::string& name, std::chrono::milliseconds& target,
                         const std::string& help) {
  const auto set = [&target, name](double seconds) { target = to_milliseconds(name, seconds); };
  return app.add_option_function<double>(name, set, help)->type_name("SECONDS");
}

void add_service_options(CLI::App& app, ServiceOptions& options, bool required) {
  const auto set = [&options](const std::string& list) { options.services = split_services(list); };
  app.add_option_function<std::string>(
         "-s,--service", set,
         std::string("The processor: module.Name, exported as Name by module.so. Several, with "
                     "commas, are one chain") +
             (required ? "" : ". Without it, the base processor, which changes nothing"))
      ->type_name("MODULE.NAME[,...]")
      ->required(required);
  app.add_flag("--separate", options.separate,
               "Several processors, each on an address of its own, instead of one chain");
  app.add_option("--module-path", options.module_path,
                 "Where to look for modules first; may be repeated")
      ->type_name("FOLDER[:FOLDER]")
      ->delimiter(':')
      ->allow_extra_args(false)
      ->take_all();
}

void add_log_options(CLI::App& app, bool& logging, std::optional<LogFormat>& format,
                     std::optional<std::string>& file) {
  app.add_flag("-l,--logging", logging, "Log at LOG_LEVEL (INFO), not only warnings and errors");
  add_setting(app, server::setting_row("log_format"),
              [&format](const std::string& flag, const std::string& text) {
                format = parsed("log_format", flag, text).log_format;
              });
  add_setting(app, server::setting_row("log_file"),
              [&file](const std::string& /*flag*/, const std::string& text) { file = text; });
}

void add_told_options(CLI::App& app, FilterSettings& filter) {
  app.add_flag("--allow-content-length-header", filter.allow_content_length_header,
               "content-length stays in the headers where a body is streamed")
      ->group(kFilterGroup);
  app.add_flag("--allow-mode-override", filter.allow_mode_override,
               "Processors may override the mode, also to FULL_DUPLEX_STREAMED")
      ->group(kFilterGroup);
  const auto add_mode = [&filter](const std::vector<std::string>& modes) {
    filter.allow_mode_override = true;
    for (const std::string& text : modes) {
      const auto mode = envoy_config::parse_override(text);
      if (!mode)
        throw CLI::ValidationError("--allowed-override-mode",
                                   "\"" + text +
                                       "\" is none: name fields of ProcessingMode, as in "
                                       "response_body_mode=FULL_DUPLEX_STREAMED,"
                                       "response_trailer_mode=SEND");
      filter.allowed_override_modes.push_back(*mode);
    }
  };
  app.add_option_function<std::vector<std::string>>(
         "--allowed-override-mode", add_mode,
         "One that they may choose, as in request_body_mode=BUFFERED; may be repeated (any)")
      ->type_name("FIELD=MODE[,...]")
      ->allow_extra_args(false)
      ->take_all()
      ->group(kFilterGroup);
}

void add_filter_options(CLI::App& app, FilterSettings& filter) {
  add_seconds(app, "--message-timeout", filter.message_timeout,
              "How long Envoy waits for each answer (0.2)")
      ->group(kFilterGroup);
  add_seconds(app, "--max-message-timeout", filter.max_message_timeout,
              "How much a processor that needs longer may ask for instead (0: it may not)")
      ->group(kFilterGroup);
  app.add_flag("--allow-all-routing", filter.allow_all_routing,
               "Processors may change host, :authority, :scheme and :method")
      ->group(kFilterGroup);
  app.add_flag("--allow-envoy", filter.allow_envoy,
               "Processors may change headers that begin with x-envoy")
      ->group(kFilterGroup);
  add_told_options(app, filter);
  app.callback([&filter] { check_times(filter); });
}

void add_message_bytes(CLI::App& app, std::size_t& bytes) {
  constexpr std::string_view kName = "limits.message_bytes";
  add_setting(app, server::setting_row(kName),
              [&bytes, kName](const std::string& flag, const std::string& text) {
                bytes = parsed(kName, flag, text).limits.message_bytes;
              });
}

void add_needs_options(CLI::App& app, NeedsOptions& options, FilterSettings& filter) {
  add_body_mode(app, "--request-body-mode", options.request_body_mode,
                "How a handler of request_body gets it (BUFFERED; over the whole body: "
                "FULL_DUPLEX_STREAMED)");
  add_body_mode(app, "--response-body-mode", options.response_body_mode,
                "How a handler of response_body gets it (as for request_body)");
  app.add_flag(
      "--skip-request-headers", options.skip_request_headers,
      "No handler needs the request's method, path or id, so its headers are sent to their "
      "own handler only");
  // What --allow-mode-override was called; not shown.
  app.add_flag("--mode-override", filter.allow_mode_override)->group("");
}

}  // namespace extproc::cli
