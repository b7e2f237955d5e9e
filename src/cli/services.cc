#include "cli/services.h"

#include <utility>

#include "cli/chain.h"
#include "cli/module_loader.h"
#include "extproc/error.h"
#include "extproc/processor.h"
#include "extproc/service_manager.h"
#include "server/configuration.h"
#include "server/listen_address.h"

namespace extproc::cli {
namespace {

/// The first of several ports; 0 when the system chooses each.
int first_port(const Settings& settings) {
  const auto address = server::resolve(Settings::from_environment(settings), std::nullopt).address;
  return std::get<server::TcpAddress>(address).port;
}

std::vector<Service> on_ports(std::vector<Service> services, const Settings& settings) {
  const int first = first_port(settings);
  const int last = first + static_cast<int>(services.size()) - 1;
  if (last > server::kHighestPort) {
    throw Error("the ports from " + std::to_string(first) + " upward end before each of " +
                std::to_string(services.size()) + " processors has one: choose a lower --port");
  }
  for (std::size_t i = 0; i < services.size(); ++i) {
    const int port = first == 0 ? 0 : first + static_cast<int>(i);
    services[i] = std::move(services[i]).on(port);
  }
  return services;
}

std::vector<Service> on_addresses(std::vector<Service> services,
                                  const std::vector<std::string>& listen) {
  if (listen.size() != services.size()) {
    throw Error("--separate needs an address for each of " + std::to_string(services.size()) +
                " processors, and --listen gave " + std::to_string(listen.size()) +
                ": repeat --listen in the order of -s, or use --port for the first of following "
                "ports");
  }
  for (std::size_t i = 0; i < services.size(); ++i) {
    services[i] = std::move(services[i]).on(listen[i]);
  }
  return services;
}

}  // namespace

std::vector<Service> load_services(const ServiceOptions& options) {
  std::vector<Service> services;
  if (options.services.empty()) services.push_back(Service::make<BaseExtProcService>());
  const auto folders = module_folders(options.module_path);
  for (const std::string& service : options.services) {
    services.push_back(load_service(parse_service_spec(service), folders));
  }
  return services;
}

std::vector<Service> make_services(const ServiceOptions& options,
                                   const std::vector<std::string>& listen, Settings& settings) {
  std::vector<Service> services = load_services(options);
  if (options.separate && services.size() > 1) {
    if (!listen.empty()) return on_addresses(std::move(services), listen);
    // Those of a service manager are given out by serve(), which refuses a port beside them.
    if (!passed_sockets().empty()) return services;
    return on_ports(std::move(services), settings);
  }
  if (listen.size() > 1) {
    throw Error("--listen was given " + std::to_string(listen.size()) +
                " times, for one service: give it once, or several processors and --separate");
  }
  if (!listen.empty()) settings.listen = listen.front();
  if (services.size() == 1) return services;
  std::vector<Service> chain;
  chain.push_back(make_chain(std::move(services)));
  return chain;
}

}  // namespace extproc::cli
