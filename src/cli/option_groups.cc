#include "cli/option_groups.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "server/settings_table.h"

namespace extproc::cli {
namespace {

/// What `extproc check` compares with the filter.
constexpr std::string_view kCompared[] = {"filter.allow_content_length_header",
                                          "filter.allow_mode_override"};

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

void add_filter_setting(CLI::App& app, const server::SettingRow& row, FilterSettings& filter) {
  add_setting(app, row, [&filter, &row](const std::string& flag, const std::string& text) {
    Settings settings;
    settings.filter = filter;
    row.set(settings, flag, text);
    filter = std::move(settings.filter);
  });
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

void add_service_options(CLI::App& app, ServiceOptions& options, Without without) {
  const auto set = [&options](const std::string& list) { options.services = split_services(list); };
  app.add_option_function<std::string>(
         "-s,--service", set,
         std::string("The processor: module.Name, exported as Name by module.so. Several, with "
                     "commas, are one chain") +
             (without == Without::base_processor
                  ? ". Without it, the base processor, which changes nothing"
                  : "") +
             (without == Without::filters_inside
                  ? ". Filters inside Envoy name their processors themselves"
                  : ""))
      ->type_name("MODULE.NAME[,...]")
      ->required(without == Without::refused);
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
  for (const std::string_view name : kCompared)
    add_filter_setting(app, server::setting_row(name), filter);
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
      ->group(group_of(server::Topic::filter));
}

void add_filter_options(CLI::App& app, FilterSettings& filter) {
  for (const server::SettingRow& row : server::setting_rows()) {
    if (is_of_filter(row) && std::ranges::find(kCompared, row.name) == std::end(kCompared))
      add_filter_setting(app, row, filter);
  }
  add_told_options(app, filter);
  app.callback([&app, &filter] {
    // What a file says besides counts with it, and is checked with it.
    const CLI::Option* file = app.get_option_no_throw("--settings");
    if (file == nullptr || file->count() == 0) check_times(filter);
  });
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
