#include "cli/processors.h"

#include <filesystem>
#include <set>
#include <sstream>

#include "extproc/error.h"
#include "server/listen_address.h"

namespace extproc::cli {
namespace {

using envoy_config::Endpoint;

constexpr int kDefaultPort = 50'051;

std::vector<std::string> names(const std::vector<envoy_config::Needs>& needs,
                               const Placement& placement) {
  std::vector<std::string> all = placement.cluster_names;
  if (all.empty()) {
    for (const auto& one : needs) {
      const bool is_chain = one.name.find(',') != std::string::npos;
      all.push_back(is_chain ? "extproc-chain" : envoy_config::cluster_name(one.name));
    }
  }
  if (all.size() != needs.size()) {
    throw Error("--cluster-name was given " + std::to_string(all.size()) + " times for " +
                std::to_string(needs.size()) +
                (needs.size() == 1 ? " cluster: give it once"
                                   : " clusters: give it once for each, in the order of -s"));
  }
  std::set<std::string> seen{"upstream"};
  for (const std::string& name : all) {
    if (name.empty()) throw Error("--cluster-name is empty: give a name");
    if (!seen.insert(name).second) {
      throw Error("the cluster name \"" + name +
                  "\" is in use already: choose another with --cluster-name");
    }
  }
  return all;
}

/// The address for the processor number `index`, from one that was given for the first.
Endpoint following(const Endpoint& first, std::size_t index) {
  Endpoint endpoint = first;
  auto* tcp = std::get_if<server::TcpAddress>(&endpoint);
  if (index == 0) return endpoint;
  if (tcp == nullptr) {
    throw Error(
        "one Unix domain socket was given for several processors: repeat --address, once "
        "for each in the order of -s");
  }
  tcp->port += static_cast<int>(index);
  if (tcp->port > server::kHighestPort) {
    throw Error(
        "the ports from that of --address upward end before each processor has one: choose "
        "a lower one");
  }
  return endpoint;
}

Endpoint address(const Placement& placement, std::size_t count, std::size_t index,
                 const std::string& cluster) {
  const auto& given = placement.addresses;
  if (given.empty()) {
    if (placement.kubernetes_namespace) {
      const std::string host = cluster + "." + *placement.kubernetes_namespace;
      return server::TcpAddress{host + ".svc.cluster.local", kDefaultPort};
    }
    return following(server::TcpAddress{"127.0.0.1", kDefaultPort}, index);
  }
  if (given.size() == 1) {
    return following(envoy_config::parse_endpoint("--address", given.front()), index);
  }
  if (given.size() != count) {
    throw Error("--address was given " + std::to_string(given.size()) + " times for " +
                std::to_string(count) + (count == 1 ? " filter" : " filters") +
                ": give it once, or once for each processor together with --separate");
  }
  return envoy_config::parse_endpoint("--address", given[index]);
}

}  // namespace

std::vector<envoy_config::Processor> place(const std::vector<envoy_config::Needs>& needs,
                                           const Placement& placement) {
  const std::vector<std::string> clusters = names(needs, placement);
  std::vector<envoy_config::Processor> processors;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    processors.push_back({needs[i], clusters[i], address(placement, needs.size(), i, clusters[i])});
  }
  return processors;
}

std::vector<std::string> absolute_folders(const std::vector<std::string>& module_path) {
  std::vector<std::string> folders;
  for (const std::string& list : module_path) {
    std::istringstream stream{list};
    for (std::string folder; std::getline(stream, folder, ':');)
      if (!folder.empty()) folders.push_back(std::filesystem::absolute(folder).string());
  }
  return folders;
}

void put_inside(std::vector<envoy_config::Processor>& processors, const ServiceOptions& which) {
  for (std::size_t i = 0; i < processors.size(); ++i) {
    auto& inside = processors[i].in_process.emplace();
    inside.module_path = absolute_folders(which.module_path);
    for (const std::string& name : which.separate ? std::vector{which.services[i]} : which.services)
      inside.processors.push_back({.name = name});
  }
}

}  // namespace extproc::cli
