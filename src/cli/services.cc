#include "cli/services.h"

#include <utility>

#include "cli/chain.h"
#include "extproc/error.h"
#include "extproc/processor.h"
#include "extproc/service_manager.h"
#include "modules/module_loader.h"
#include "server/setting_sources.h"
#include "settings_file/combine.h"

namespace extproc::cli {

std::vector<Service> load_services(const ServiceOptions& options) {
  std::vector<Service> services;
  if (options.services.empty()) services.push_back(Service::make<BaseExtProcService>());
  const auto folders = modules::module_folders(options.module_path);
  for (const std::string& service : options.services) {
    services.push_back(modules::load_service(modules::parse_service_spec(service), folders));
  }
  return services;
}

std::vector<Service> make_services(const ServiceOptions& options,
                                   const std::vector<std::string>& listen, Settings& settings) {
  std::vector<Service> services = load_services(options);
  if (options.separate && services.size() > 1) {
    // Sockets of a service manager are given out by serve(), which refuses an address beside them.
    if (listen.empty() && !passed_sockets().empty()) return services;
    const auto addresses = settings_file::own_addresses(services.size(), listen, settings);
    for (std::size_t i = 0; i < services.size(); ++i)
      services[i] = std::move(services[i]).on(addresses[i]);
    return services;
  }
  if (listen.size() > 1) {
    throw Error("--listen was given " + std::to_string(listen.size()) +
                " times, for one service: give it once, or several processors and --separate");
  }
  if (!listen.empty()) {
    settings.listen = listen.front();
    server::note_source(settings, server::setting_row("listen"), "flag --listen");
  }
  if (services.size() == 1) return services;
  std::vector<Service> chain;
  chain.push_back(make_chain(std::move(services)));
  return chain;
}

settings_file::Source source_of(const ServiceOptions& which, settings_file::Overlay flags) {
  flags.common.given = which.given;
  flags.processors = which.services;
  flags.separate = which.separate;
  flags.module_path = which.module_path;
  return {.path = which.settings_file,
          .flags = std::move(flags),
          .maker = [](const std::vector<std::string>& module_path) {
            return [folders = modules::module_folders(module_path)](const std::string& name,
                                                                    const OwnSettings& settings) {
              if (name.empty()) return Service::make<BaseExtProcService>();
              return modules::load_service(modules::parse_service_spec(name), folders, settings);
            };
          }};
}

}  // namespace extproc::cli
