#include "envoy/kit/filter_yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <string>
#include <vector>

#include "envoy/filter_reader.h"
#include "envoy/kit/attributes.h"
#include "envoy/message_reader.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing::envoy {
namespace {

using envoy_config::FilterConfig;
using envoy_config::Place;
using envoy_config::place_of;
using envoy_config::Problem;
using envoy_config::Regex;
using envoy_config::RouteConfig;
using envoy_config::Setting;
using envoy_config::StringMatcher;

constexpr std::string_view kTypes =
    "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.";

[[noreturn]] void fail(Place place, const std::string& text) {
  throw EnvoyConfigError((place ? "line " + std::to_string(place.line) + ": " : "") + text);
}

/// What Envoy plays and the kit does not.
class Unplayed {
 public:
  explicit Unplayed(std::vector<Problem>& problems) : problems_(problems) {}

  void field(Place place, const std::string& text) {
    if (place) problems_.push_back({place, "", text, ""});
  }

  void attributes(const Setting<std::vector<std::string>>& names, const std::string& name) {
    const std::string unknown = name + " has unknown ";
    for (const std::string& attribute : *names)
      if (!is_known_attribute(attribute)) field(names.place, unknown + attribute);
  }

  void regex(const Setting<Regex>& regex) {
    if (!regex->expression) field(regex.place, "regex is not a regular expression");
  }

  void matchers(const std::vector<StringMatcher>& matchers) {
    for (const StringMatcher& matcher : matchers) {
      regex(matcher.regex);
      field(matcher.custom, "custom is not supported here");
    }
  }

 private:
  std::vector<Problem>& problems_;
};

void find_unplayed(const FilterConfig& config, std::vector<Problem>& problems) {
  Unplayed unplayed(problems);
  unplayed.field(config.http_service,
                 "http_service is not supported here: this plays the gRPC service");
  unplayed.field(config.on_processing_response, "on_processing_response is not supported here");
  unplayed.field(config.processing_request_modifier,
                 "processing_request_modifier is not supported here");
  unplayed.attributes(config.request_attributes, "request_attributes");
  unplayed.attributes(config.response_attributes, "response_attributes");
  unplayed.regex(config.mutation_rules->allow_expression);
  unplayed.regex(config.mutation_rules->disallow_expression);
  unplayed.matchers(config.allowed_headers);
  unplayed.matchers(config.disallowed_headers);
}

/// Where the message says what it is.
void require_type(const YAML::Node& message, std::string_view name) {
  const std::string wanted = std::string(kTypes) + std::string(name);
  const auto type = envoy_config::field(message, "@type");
  if (type && envoy_config::text(type.value) != wanted)
    fail(place_of(type.value), "@type must be " + wanted);
}

void throw_first(const std::vector<Problem>& problems) {
  if (problems.empty()) return;
  const Problem& first = *std::ranges::min_element(problems, {}, &Problem::place);
  fail(first.place, first.what + (first.mend.empty() ? "" : "; " + first.mend));
}

/// The ExternalProcessor, out of what may stand around it.
YAML::Node processor_in(YAML::Node root) {
  // A list of one filter, as it stands under http_filters.
  if (root.IsSequence() && root.size() == 1) root.reset(root[0]);
  if (const auto typed = envoy_config::field(root, "typed_config")) {
    for (const auto& entry : root) {
      const std::string name = envoy_config::snake_case(envoy_config::text(entry.first));
      if (name != "name" && name != "typed_config")
        fail(place_of(entry.first), "a filter has no field " + name + " here");
    }
    root.reset(typed.value);
  }
  require_type(root, "ExternalProcessor");
  return root;
}

}  // namespace

YAML::Node load_yaml(std::string_view yaml) {
  try {
    return YAML::Load(std::string(yaml));
  } catch (const YAML::Exception& error) {
    fail({error.mark.line + 1, error.mark.column + 1}, error.msg);
  }
}

FilterConfig read_filter_config(std::string_view yaml) {
  std::vector<Problem> problems;
  FilterConfig config = envoy_config::read_filter_config(processor_in(load_yaml(yaml)), problems);
  std::ranges::copy(
      full_duplex_problems(*config.processing_mode, "the filter", envoy_config::kIsRefused, {}),
      std::back_inserter(problems));
  find_unplayed(config, problems);
  throw_first(problems);
  return config;
}

std::vector<RouteConfig> read_route_configs(const std::vector<std::string>& yamls) {
  std::vector<RouteConfig> configs;
  for (const std::string& yaml : yamls) {
    const YAML::Node message = load_yaml(yaml);
    require_type(message, "ExtProcPerRoute");
    std::vector<Problem> problems;
    configs.push_back(envoy_config::read_route_config(message, problems));
    Unplayed(problems).field(configs.back().processing_request_modifier,
                             "processing_request_modifier is not supported here");
    throw_first(problems);
  }
  return configs;
}

}  // namespace extproc::testing::envoy
