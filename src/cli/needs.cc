#include "cli/needs.h"

#include <algorithm>

#include "base/access.h"
#include "cli/services.h"
#include "extproc/error.h"
#include "server/configuration.h"

namespace extproc::cli {
namespace {

using envoy_config::Needs;

void require_handler(const std::vector<Needs>& needs, const std::optional<BodySendMode>& mode,
                     Phase phase) {
  if (!mode ||
      std::ranges::any_of(needs, [&](const Needs& one) { return one.handled.contains(phase); })) {
    return;
  }
  std::string names;
  for (const Needs& one : needs) names += (names.empty() ? "" : ", ") + one.name;
  const std::string body(to_string(phase));
  const std::string direction = body.substr(0, body.find('_'));
  throw Error("--" + direction + "-body-mode was given, but " + names + " does not handle " + body +
              ": leave it out");
}

/// A flag is stronger than what the processor says.
std::optional<BodySendMode> chosen(const std::optional<BodySendMode>& flag,
                                   const std::optional<BodySendMode>& stated) {
  return flag ? flag : stated;
}

}  // namespace

std::vector<Needs> needs_of_each(const std::vector<Service>& processors,
                                 const std::string& chain_header, const NeedsOptions& options,
                                 const FilterSettings& filter) {
  std::vector<Needs> all;
  for (const Service& service : processors) {
    const extproc::Needs stated = service.needs();
    all.push_back(
        {.name = service.name(),
         .handled = service.handled_phases(),
         .whole = detail::Access::dispatcher(service)->streamed(),
         .chain_header = chain_header,
         .request_body_mode = chosen(options.request_body_mode, stated.request_body_mode),
         .response_body_mode = chosen(options.response_body_mode, stated.response_body_mode),
         .request_data = stated.request_data && !options.skip_request_headers,
         .in_process = options.in_process,
         .stated = stated,
         .filter = filter});
  }
  require_handler(all, options.request_body_mode, Phase::request_body);
  require_handler(all, options.response_body_mode, Phase::response_body);
  return all;
}

std::vector<Needs> needs_of_each(const ServiceOptions& which, const NeedsOptions& options,
                                 const FilterSettings& filter) {
  const std::string chain_header =
      server::resolve(Settings::from_environment(), std::nullopt).chain_header;
  return needs_of_each(load_services(which), chain_header, options, filter);
}

std::vector<Needs> needs_of(const ServiceOptions& which, const NeedsOptions& options,
                            const FilterSettings& filter) {
  std::vector<Needs> all = needs_of_each(which, options, filter);
  if (!which.separate) all = {envoy_config::together(all)};
  return all;
}

}  // namespace extproc::cli
