#include "envoy/kit/filter_config.h"

#include "envoy/kit/attributes.h"
#include "envoy/kit/status_codes.h"
#include "envoy/kit/yaml_fields.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing::envoy {
namespace {

constexpr std::string_view kType =
    "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor";

ProcessingMode read_mode(YamlFields fields) {
  const auto header = [&](std::string_view name) {
    return static_cast<HeaderMode>(fields.choice(name, {{"DEFAULT", 0}, {"SEND", 1}, {"SKIP", 2}}));
  };
  const auto body = [&](std::string_view name) {
    return static_cast<BodyMode>(fields.choice(name, {{"NONE", 0},
                                                      {"STREAMED", 1},
                                                      {"BUFFERED", 2},
                                                      {"BUFFERED_PARTIAL", 3},
                                                      {"FULL_DUPLEX_STREAMED", 4},
                                                      {"GRPC", 5}}));
  };
  const ProcessingMode mode{header("request_header_mode"),  header("response_header_mode"),
                            body("request_body_mode"),      body("response_body_mode"),
                            header("request_trailer_mode"), header("response_trailer_mode")};
  fields.done();
  if (mode.request_body == BodyMode::full_duplex_streamed &&
      mode.request_trailer != HeaderMode::send)
    fields.fail("request_body_mode",
                "FULL_DUPLEX_STREAMED needs request_trailer_mode SEND: Envoy refuses this");
  if (mode.response_body == BodyMode::full_duplex_streamed &&
      mode.response_trailer != HeaderMode::send)
    fields.fail("response_body_mode",
                "FULL_DUPLEX_STREAMED needs response_trailer_mode SEND: Envoy refuses this");
  return mode;
}

std::regex read_regex(YamlFields fields) {
  fields.ignore({"google_re2"});
  const std::string text = fields.text("regex");
  fields.done();
  try {
    return std::regex(text);
  } catch (const std::regex_error&) {
    fields.fail("regex", "is not a regular expression");
  }
}

std::optional<std::regex> read_regex(YamlFields& fields, std::string_view name) {
  if (auto expression = fields.message(name)) return read_regex(*expression);
  return std::nullopt;
}

MutationRules read_rules(YamlFields fields) {
  MutationRules rules{.by_name = {.allow_all_routing = fields.boolean("allow_all_routing"),
                                  .allow_envoy = fields.boolean("allow_envoy"),
                                  .disallow_system = fields.boolean("disallow_system"),
                                  .disallow_all = fields.boolean("disallow_all")},
                      .disallow_is_error = fields.boolean("disallow_is_error"),
                      .allow_expression = read_regex(fields, "allow_expression"),
                      .disallow_expression = read_regex(fields, "disallow_expression")};
  fields.done();
  return rules;
}

std::vector<StringMatcher> read_matchers(YamlFields fields) {
  using Kind = StringMatcher::Kind;
  std::vector<StringMatcher> matchers;
  for (auto& pattern : fields.messages("patterns")) {
    StringMatcher matcher{
        .text = {}, .ignore_case = pattern.boolean("ignore_case"), .expression = {}};
    for (const auto& [name, kind] : {std::pair{"exact", Kind::exact},
                                     {"prefix", Kind::prefix},
                                     {"suffix", Kind::suffix},
                                     {"contains", Kind::contains}}) {
      if (!pattern.has(name)) continue;
      matcher.kind = kind;
      matcher.text = pattern.text(name);
    }
    if (auto expression = read_regex(pattern, "safe_regex")) {
      matcher.kind = Kind::regex;
      matcher.expression = std::move(expression);
    }
    pattern.done();
    matchers.push_back(std::move(matcher));
  }
  fields.done();
  return matchers;
}

std::vector<std::string> read_namespaces(YamlFields& fields, std::string_view name) {
  auto namespaces = fields.message(name);
  if (!namespaces) return {};
  namespaces->ignore({"typed"});
  auto untyped = namespaces->texts("untyped");
  namespaces->done();
  return untyped;
}

void read_headers(YamlFields& fields, FilterConfig& config) {
  if (auto rules = fields.message("mutation_rules")) config.mutation_rules = read_rules(*rules);
  if (auto rules = fields.message("forward_rules")) {
    if (auto allowed = rules->message("allowed_headers"))
      config.allowed_headers = read_matchers(*allowed);
    if (auto disallowed = rules->message("disallowed_headers"))
      config.disallowed_headers = read_matchers(*disallowed);
    rules->done();
  }
  config.request_attributes = fields.texts("request_attributes");
  config.response_attributes = fields.texts("response_attributes");
  for (const auto& name : config.request_attributes)
    if (!is_known_attribute(name)) fields.fail("request_attributes", "has unknown " + name);
  for (const auto& name : config.response_attributes)
    if (!is_known_attribute(name)) fields.fail("response_attributes", "has unknown " + name);
}

void read_service(YamlFields& fields, FilterConfig& config) {
  if (fields.has("http_service"))
    fields.fail("http_service", "is not supported here: this plays the gRPC service");
  auto service = fields.message("grpc_service");
  if (!service) return;
  service->ignore({"envoy_grpc", "google_grpc", "initial_metadata", "retry_policy"});
  config.grpc_timeout = service->duration("timeout");
  service->done();
}

void read_route_cache(YamlFields& fields, FilterConfig& config) {
  config.route_cache_action = static_cast<RouteCacheAction>(
      fields.choice("route_cache_action", {{"DEFAULT", 0}, {"CLEAR", 1}, {"RETAIN", 2}}));
  if (!fields.boolean("disable_clear_route_cache")) return;
  if (config.route_cache_action != RouteCacheAction::when_asked)
    fields.fail("disable_clear_route_cache", "excludes route_cache_action: Envoy refuses both");
  config.route_cache_action = RouteCacheAction::retain;
}

FilterConfig read_processor(YamlFields fields) {
  FilterConfig config;
  const std::string type = fields.text("@type", std::string(kType));
  if (type != kType) fields.fail("@type", "must be " + std::string(kType));
  read_service(fields, config);
  if (auto mode = fields.message("processing_mode")) config.mode = read_mode(*mode);
  read_headers(fields, config);
  read_route_cache(fields, config);
  config.failure_mode_allow = fields.boolean("failure_mode_allow");
  config.message_timeout = fields.duration("message_timeout").value_or(config.message_timeout);
  config.max_message_timeout =
      fields.duration("max_message_timeout").value_or(config.max_message_timeout);
  config.deferred_close_timeout =
      fields.duration("deferred_close_timeout").value_or(config.deferred_close_timeout);
  config.allow_mode_override = fields.boolean("allow_mode_override");
  for (const auto& mode : fields.messages("allowed_override_modes"))
    config.allowed_override_modes.push_back(read_mode(mode));
  config.disable_immediate_response = fields.boolean("disable_immediate_response");
  if (auto metadata = fields.message("metadata_options")) {
    config.forwarding_namespaces = read_namespaces(*metadata, "forwarding_namespaces");
    config.receiving_namespaces = read_namespaces(*metadata, "receiving_namespaces");
    metadata->ignore({"cluster_metadata_forwarding_namespaces"});
    metadata->done();
  }
  config.observability_mode = fields.boolean("observability_mode");
  config.send_body_without_waiting =
      fields.boolean("send_body_without_waiting_for_header_response");
  config.allow_content_length_header = fields.boolean("allow_content_length_header");
  if (auto status = fields.message("status_on_error")) {
    const std::string code = status->text("code", "500");
    config.status_on_error = http_status(code);
    if (config.status_on_error == 0) status->fail("code", "is not a status code");
    // Envoy takes what is no error for the default.
    if (config.status_on_error < 400) config.status_on_error = 500;
    status->done();
  }
  fields.ignore({"stat_prefix", "filter_metadata", "emit_client_span", "async_mode"});
  fields.done();
  return config;
}

}  // namespace

FilterConfig read_filter_config(std::string_view yaml) {
  YAML::Node root;
  try {
    root = YAML::Load(std::string(yaml));
  } catch (const YAML::Exception& error) {
    throw EnvoyConfigError("line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
  // A list of one filter, as it stands under http_filters.
  if (root.IsSequence() && root.size() == 1) root = YAML::Node(root[0]);
  YamlFields fields(root, "ExternalProcessor");
  auto typed = fields.message("typed_config");
  if (!typed) return read_processor(YamlFields(root, "ExternalProcessor"));
  fields.ignore({"name"});
  fields.done();
  return read_processor(*typed);
}

FilterSettings filter_settings(const FilterConfig& config) {
  using std::chrono::milliseconds;
  const auto longest = config.max_message_timeout < config.message_timeout
                           ? std::chrono::nanoseconds(0)
                           : config.max_message_timeout;
  return {.message_timeout = std::chrono::duration_cast<milliseconds>(config.message_timeout),
          .max_message_timeout = std::chrono::duration_cast<milliseconds>(longest),
          .allow_all_routing = config.mutation_rules.by_name.allow_all_routing,
          .allow_envoy = config.mutation_rules.by_name.allow_envoy};
}

}  // namespace extproc::testing::envoy
