#include "extproc/settings_file.h"

#include <utility>

#include "extproc/error.h"
#include "settings_file/running.h"
#include "settings_file/serve.h"

namespace extproc {
namespace settings_file {
namespace {

/// Of processors that a program has itself.
Source source_of(const std::string& path, MakeProcessor make) {
  return {.path = path, .maker = [path, make = std::move(make)](const auto& /*module_path*/) {
            return [path, make](const std::string& name, const OwnSettings& settings) {
              if (name.empty())
                throw Error(path + ": services is missing: name what is to be served");
              return make(name, settings);
            };
          }};
}

}  // namespace

int serve(Source source) {
  Running running(std::move(source));
  return server::serve(
      {.make = [&] { return running.make(); },
       .on_hangup = [&](const server::Servers& servers,
                        const Logger& logger) { running.reload(servers, logger); }});
}

std::string check(Source source) {
  const std::string file = source.path;
  Running running(std::move(source));
  server::check_addresses(running.make());
  std::string text = file + " is good. What it and what is stronger gives:\n";
  for (const auto& [service, settings] : running.in_force()) {
    text += service + "\n";
    for (const InForce& each : settings)
      text += "  " + each.name + ": " + each.value + " (" + each.source + ")\n";
  }
  return text;
}

std::vector<Described> describe(Source source) { return Running(std::move(source)).describe(); }

}  // namespace settings_file

int serve_settings_file(const std::string& path, MakeProcessor make) {
  return settings_file::serve(settings_file::source_of(path, std::move(make)));
}

std::string check_settings_file(const std::string& path, MakeProcessor make) {
  return settings_file::check(settings_file::source_of(path, std::move(make)));
}

SettingsFile read_settings_file(const std::string& path) { return settings_file::read(path); }

}  // namespace extproc
