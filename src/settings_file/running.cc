#include "settings_file/running.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "extproc/chain.h"
#include "extproc/error.h"
#include "server/configuration.h"
#include "server/environment.h"
#include "settings_file/errors.h"
#include "settings_file/keys.h"
#include "settings_file/reader.h"
#include "settings_file/serve.h"
#include "settings_file/tree.h"

namespace extproc::settings_file {
namespace {

/// Those of services that have the same are one.
class Transports {
 public:
  std::shared_ptr<Transport> find(const std::optional<GivenTls>& tls) {
    if (!tls) return nullptr;
    const auto found = std::ranges::find_if(
        made_, [&](const auto& made) { return same_tls(made.first, tls->settings); });
    if (found != made_.end()) return found->second;
    return made_.emplace_back(tls->settings, make(*tls)).second;
  }

 private:
  static std::shared_ptr<Transport> make([[maybe_unused]] const GivenTls& tls) {
#ifdef EXTPROC_WITH_TLS
    return tls_transport(tls.settings);
#else
    throw Error(
        "tls: this extproc was built without TLS; build it with -DEXTPROC_TLS=ON, which needs "
        "OpenSSL 3");
#endif
  }

  std::vector<std::pair<TlsSettings, std::shared_ptr<Transport>>> made_;
};

Service together(const std::vector<Service>& processors) {
  if (processors.size() == 1) return processors.front();
  return Service(std::make_shared<Chain>(processors));
}

std::vector<InForce> in_force_of(const Common& common) {
  std::vector<InForce> all;
  const auto filled = server::fill_from_environment(common.settings());
  for (const server::SettingRow& row : server::setting_rows()) {
    const std::string name(row.name);
    if (const Given* given = common.given.find(row.name)) {
      all.push_back({name, given->text, given->source});
    } else if (std::ranges::find(filled.variables, row.variable) != filled.variables.end()) {
      const std::string variable(row.variable);
      all.push_back({name, server::process_environment(variable.c_str()).value_or(""), variable});
    }
  }
  if (common.tls) {
    const TlsSettings& tls = common.tls->settings;
    const bool asked = !tls.client_ca_file.empty() || !tls.client_ca.empty();
    all.push_back({"tls",
                   asked ? "on, clients must show a certificate"
                         : "on, clients are not asked for a certificate",
                   common.tls->source});
  }
  if (common.overrides) {
    all.push_back({"filter.allowed_override_modes", std::to_string(common.overrides->modes.size()),
                   common.overrides->source});
  }
  return all;
}

/// What is wrong with a value of its settings stands where the value does, once.
void add_refusal(Errors& errors, const PlannedService& service, std::string_view text) {
  std::string_view rest = text;
  const Given* given = service.common.given.take_named(rest);
  if (given == nullptr || given->line == 0) return errors.add_told(service.line, std::string(text));
  errors.add_once(given->line, std::string(given->row->name) + std::string(rest));
}

}  // namespace

std::vector<PlannedService> Running::read(std::vector<std::string>& module_path) const {
  Errors errors(source_.path);
  const Plan plan = read_plan(read_tree(read_file(source_.path), errors), errors);
  errors.throw_if_any();
  module_path = source_.flags.module_path;
  module_path.insert(module_path.end(), plan.module_path.begin(), plan.module_path.end());
  std::vector<PlannedService> services = combine(plan, source_.flags);
  for (const PlannedService& service : services) {
    try {
      server::resolve(Settings::from_environment(service.common.settings()), std::nullopt);
    } catch (const Error& error) {
      add_refusal(errors, service, error.what());
    }
  }
  errors.throw_if_any();
  return services;
}

SettingsFile read(const std::string& path) {
  Errors errors(path);
  const Plan plan = read_plan(read_tree(read_file(path), errors), errors);
  errors.throw_if_any();
  SettingsFile file{.settings = plan.common.settings()};
  Transports transports;
  const auto transport_of = [&](const Common& common) -> std::shared_ptr<Transport> {
    try {
      return transports.find(common.tls);
    } catch (const Error& error) {
      errors.add_told(common.tls->line, error.what());
      return nullptr;
    }
  };
  file.settings.transport = transport_of(plan.common);
  for (const PlannedService& service : plan.services) {
    Common common = plan.common;
    common.put(service.common);
    ServiceSettings of_service{.settings = common.settings()};
    of_service.settings.transport = transport_of(common);
    for (const PlannedProcessor& each : service.processors)
      of_service.processors.push_back({each.name, own_settings(path, each)});
    file.services.push_back(std::move(of_service));
  }
  errors.throw_if_any();
  return file;
}

std::vector<Service> Running::make_processors(const PlannedService& plan, const MakeProcessor& make,
                                              Errors& errors) const {
  std::vector<Service> processors;
  for (const PlannedProcessor& processor : plan.processors) {
    const OwnSettings own = own_settings(source_.path, processor);
    try {
      processors.push_back(make(processor.name, own));
      own.check_all_read();
    } catch (const std::exception& error) {
      errors.add_told(processor.line, error.what());
    }
  }
  return processors;
}

std::vector<Described> Running::describe() const {
  std::vector<std::string> module_path;
  const std::vector<PlannedService> plans = read(module_path);
  const MakeProcessor make = source_.maker(module_path);
  Errors errors(source_.path);
  std::vector<Described> services;
  for (const PlannedService& plan : plans) {
    const Settings settings = Settings::from_environment(plan.common.settings());
    services.push_back({make_processors(plan, make, errors), plan.processors, module_path,
                        server::resolve(settings, std::nullopt), plan.common.tls.has_value()});
  }
  errors.throw_if_any();
  return services;
}

std::vector<server::Served> Running::make() {
  std::vector<PlannedService> plans = read(module_path_);
  const MakeProcessor make = source_.maker(module_path_);
  Errors errors(source_.path);
  Transports transports;
  std::vector<server::Served> served;
  for (PlannedService& plan : plans) {
    std::vector<Service> processors = make_processors(plan, make, errors);
    if (processors.size() != plan.processors.size()) continue;
    try {
      Settings settings = plan.common.settings();
      settings.transport = transports.find(plan.common.tls);
      const Service service = together(processors);
      served.push_back({service, std::move(settings)});
      made_.push_back({std::move(plan), std::move(processors), service.name()});
    } catch (const Error& error) {
      errors.add_told(plan.common.tls ? plan.common.tls->line : plan.line, error.what());
    }
  }
  errors.throw_if_any();
  return served;
}

std::vector<std::pair<std::string, std::vector<InForce>>> Running::in_force() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, std::vector<InForce>>> all;
  all.reserve(made_.size());
  for (const Made& made : made_) all.emplace_back(made.name, in_force_of(made.plan.common));
  return all;
}

}  // namespace extproc::settings_file
