#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "cli/commands.h"
#include "cli/needs.h"
#include "envoy/check/check.h"
#include "extproc/error.h"
#include "modules/module_loader.h"

namespace extproc::cli {
namespace {

using envoy_config::Finding;
using envoy_config::Severity;

std::string read(const std::string& file) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else if (std::ifstream in(file, std::ios::binary);
             in && in.peek() != std::ifstream::traits_type::eof()) {
    // A folder opens, and has nothing to read.
    text.assign(std::istreambuf_iterator<char>(in), {});
  }
  if (text.empty()) {
    throw Error("cannot read " + file +
                ", or it is empty: name Envoy's configuration, or - for standard input");
  }
  return text;
}

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::advice:
      return "advice";
    case Severity::warning:
      return "warning";
    case Severity::error:
      break;
  }
  return "error";
}

void print(const std::string& file, const Finding& finding) {
  std::cout << file << ':' << finding.line << ':' << finding.column << ": "
            << name_of(finding.severity) << ": " << finding.what << " [" << finding.rule
            << "]\n    mend: " << finding.mend << '\n';
}

std::string count(std::ptrdiff_t number, const std::string& thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

std::string name_of(const CheckOptions& options) {
  return options.file == "-" ? "<standard input>" : options.file;
}

int report(const CheckOptions& options, const std::vector<Finding>& findings) {
  const std::string file = name_of(options);
  for (const Finding& finding : findings) print(file, finding);
  const auto errors = std::ranges::count(findings, Severity::error, &Finding::severity);
  const auto warnings = std::ranges::count(findings, Severity::warning, &Finding::severity);
  const auto advised = std::ssize(findings) - errors - warnings;
  std::cout << file << ": "
            << (findings.empty() ? "nothing found"
                                 : count(errors, "error") + ", " + count(warnings, "warning"))
            << (advised == 0 ? "" : ", " + std::to_string(advised) + " with advice") << std::endl;
  return errors > 0 || (options.strict && warnings > 0) ? 1 : 0;
}

/// As the filter makes them, with folders of flags before its own.
auto inside(const CheckOptions& options) {
  return [&which = options.which](const envoy_config::InsideProcessors& inside) {
    std::vector<std::string> module_path = which.module_path;
    std::ranges::copy(inside.module_path, std::back_inserter(module_path));
    const auto folders = modules::module_folders(module_path);
    std::vector<Service> services;
    services.reserve(inside.processors.size());
    for (const auto& [name, settings] : inside.processors)
      services.push_back(
          modules::load_service(modules::parse_service_spec(name), folders, settings));
    inside.all.check_all_read();
    const auto needs =
        needs_of_each(services, inside.chain_header, {.in_process = true}, inside.filter);
    for (const auto& one : needs) envoy_config::require_consistent(one);
    return envoy_config::together(needs);
  };
}

std::vector<Finding> check(const CheckOptions& options) {
  std::vector<envoy_config::Needs> needs;
  if (!options.which.services.empty())
    needs = needs_of_each(options.which, options.needs, options.told);
  for (const auto& one : needs) envoy_config::require_consistent(one);
  const std::string text = read(options.file);
  try {
    return envoy_config::check(text, needs,
                               {.filter = options.filter,
                                .separate = options.which.separate,
                                .message_bytes = options.message_bytes,
                                .tls = options.tls,
                                .inside = inside(options),
                                .names = options.which.services});
  } catch (const Error& error) {
    throw Error(name_of(options) + ": " + error.what());
  }
}

}  // namespace

int run(const CheckOptions& options) {
  std::vector<Finding> findings;
  try {
    findings = check(options);
  } catch (const Error& error) {
    std::cerr << "extproc: " << error.what() << '\n';
    return kWrongUsage;
  }
  return report(options, findings);
}

}  // namespace extproc::cli
