#include "settings_file/combine.h"

#include <utility>

#include "extproc/error.h"
#include "extproc/service_manager.h"
#include "server/configuration.h"
#include "server/listen_address.h"

namespace extproc::settings_file {
namespace {

const server::SettingRow& listen_row() { return server::setting_row("listen"); }

std::vector<PlannedService> services_of(const Plan& plan, const Overlay& overlay) {
  std::vector<PlannedService> services;
  if (overlay.processors.empty()) services = plan.services;
  for (const std::string& name : overlay.processors) {
    if (overlay.separate || services.empty()) services.emplace_back();
    services.back().processors.push_back({.name = name});
  }
  if (services.empty()) services.push_back({.processors = {PlannedProcessor{}}});
  return services;
}

/// The first of several ports; 0 when the system chooses each.
int first_port(const Settings& settings) {
  const auto address = server::resolve(Settings::from_environment(settings), std::nullopt).address;
  if (const auto* tcp = std::get_if<server::TcpAddress>(&address)) return tcp->port;
  throw Error("several processors cannot share the address " + server::to_string(address) +
              ": give each one of its own");
}

}  // namespace

std::vector<std::string> own_addresses(std::size_t services, const std::vector<std::string>& listen,
                                       const Settings& settings) {
  if (!listen.empty()) {
    if (listen.size() == services) return listen;
    throw Error("--separate needs an address for each of " + std::to_string(services) +
                " processors, and --listen gave " + std::to_string(listen.size()) +
                ": repeat --listen in the order of -s, or use --port for the first of following "
                "ports");
  }
  const int first = first_port(settings);
  if (first + static_cast<int>(services) - 1 > server::kHighestPort) {
    throw Error("the ports from " + std::to_string(first) + " upward end before each of " +
                std::to_string(services) + " processors has one: choose a lower --port");
  }
  std::vector<std::string> ports;
  for (std::size_t i = 0; i < services; ++i)
    ports.push_back(std::to_string(first == 0 ? 0 : first + static_cast<int>(i)));
  return ports;
}

std::vector<PlannedService> combine(const Plan& plan, const Overlay& overlay) {
  std::vector<PlannedService> services = services_of(plan, overlay);
  for (PlannedService& service : services) {
    Common all = plan.common;
    all.put(service.common);
    all.put(overlay.common);
    if (overlay.otherwise && all.given.find(overlay.otherwise->row->name) == nullptr)
      all.given.put(*overlay.otherwise);
    service.common = std::move(all);
  }
  // Sockets of a service manager are given out when they are served.
  const bool in_a_row = (overlay.separate && passed_sockets().empty()) ||
                        overlay.common.given.find("port") != nullptr;
  if (overlay.listen.empty() && (services.size() == 1 || !in_a_row)) return services;
  if (services.size() == 1 && overlay.listen.size() > 1) {
    throw Error("--listen was given " + std::to_string(overlay.listen.size()) +
                " times, for one service: give it once, or several processors and --separate");
  }
  const auto addresses =
      own_addresses(services.size(), overlay.listen, services.front().common.settings());
  for (std::size_t i = 0; i < services.size(); ++i) {
    const std::string source = overlay.listen.empty() ? "--port" : "--listen";
    services[i].common.given.put({.row = &listen_row(), .source = source, .text = addresses[i]});
  }
  return services;
}

}  // namespace extproc::settings_file
