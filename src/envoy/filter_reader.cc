#include "envoy/filter_reader.h"

#include <utility>

#include "envoy/message_reader.h"
#include "envoy/status_codes.h"

namespace extproc::envoy_config {
namespace {

constexpr std::string_view kRouteCacheActions[] = {"DEFAULT", "CLEAR", "RETAIN"};

std::optional<HeaderSendMode> header_mode(std::size_t number) {
  if (number == 0) return std::nullopt;
  return static_cast<HeaderSendMode>(number);
}

StatedMode read_mode(MessageReader& fields) {
  StatedMode mode;
  const auto number = [&](Phase phase, std::span<const std::string_view> names) {
    const Setting<std::size_t> read = fields.choice(mode_field(phase), names);
    mode.place_of(phase) = read.key;
    return *read;
  };
  const auto header = [&](Phase phase) { return header_mode(number(phase, kHeaderModeNames)); };
  const auto body = [&](Phase phase) {
    return static_cast<BodySendMode>(number(phase, kBodyModeNames));
  };
  mode.request_headers = header(Phase::request_headers);
  mode.response_headers = header(Phase::response_headers);
  mode.request_body = body(Phase::request_body);
  mode.response_body = body(Phase::response_body);
  mode.request_trailers = header(Phase::request_trailers);
  mode.response_trailers = header(Phase::response_trailers);
  return mode;
}

CallMetadata read_headers(MessageReader& fields, std::string_view name) {
  using Header = CallMetadata::value_type;
  return fields.messages<Header>(name, "HeaderValue", [](MessageReader& header) {
    header.ignore({"raw_value"});
    return Header(header.text("key"), header.text("value"));
  });
}

GrpcService read_service(MessageReader& fields) {
  GrpcService service;
  service.google_grpc = fields.key_of("google_grpc");
  const auto envoy_grpc =
      fields.message<Setting<std::string>>("envoy_grpc", "EnvoyGrpc", [](MessageReader& nested) {
        nested.ignore(
            {"authority", "max_receive_message_length", "retry_policy", "skip_envoy_headers"});
        return nested.text("cluster_name");
      });
  service.cluster_name = *envoy_grpc;
  service.timeout = fields.duration("timeout");
  service.initial_metadata = read_headers(fields, "initial_metadata");
  service.retry_policy = fields.key_of("retry_policy");
  return service;
}

Regex read_regex(MessageReader& fields) {
  fields.ignore({"google_re2"});
  Regex regex{.text = fields.text("regex")};
  try {
    regex.expression.emplace(regex.text);
  } catch (const std::regex_error&) {
    // One of RE2's, perhaps.
  }
  return regex;
}

Setting<Regex> read_regex(MessageReader& fields, std::string_view name) {
  return fields.message<Regex>(name, "RegexMatcher",
                               [](MessageReader& nested) { return read_regex(nested); });
}

MutationRules read_rules(MessageReader& fields) {
  const Setting<bool> disallow_all = fields.boolean("disallow_all");
  return {.by_name = {.allow_all_routing = fields.boolean("allow_all_routing"),
                      .allow_envoy = fields.boolean("allow_envoy"),
                      .disallow_system = fields.boolean("disallow_system"),
                      .disallow_all = disallow_all},
          .disallow_all = disallow_all.key,
          .disallow_is_error = fields.boolean("disallow_is_error"),
          .allow_expression = read_regex(fields, "allow_expression"),
          .disallow_expression = read_regex(fields, "disallow_expression")};
}

StringMatcher read_matcher(MessageReader& fields) {
  using Kind = StringMatcher::Kind;
  StringMatcher matcher;
  matcher.ignore_case = fields.boolean("ignore_case");
  for (const auto& [name, kind] : {std::pair{"exact", Kind::exact},
                                   {"prefix", Kind::prefix},
                                   {"suffix", Kind::suffix},
                                   {"contains", Kind::contains}}) {
    const Setting<std::string> text = fields.text(name);
    if (!text.is_stated()) continue;
    matcher.kind = kind;
    matcher.text = text;
  }
  matcher.regex = read_regex(fields, "safe_regex");
  if (matcher.regex.is_stated()) matcher.kind = Kind::regex;
  matcher.custom = fields.key_of("custom");
  return matcher;
}

std::vector<StringMatcher> read_matchers(MessageReader& fields, std::string_view name) {
  const auto list = fields.message<std::vector<StringMatcher>>(
      name, "ListStringMatcher", [](MessageReader& nested) {
        return nested.messages<StringMatcher>("patterns", "StringMatcher", read_matcher);
      });
  return *list;
}

Setting<std::vector<std::string>> read_namespaces(MessageReader& fields, std::string_view name) {
  return fields.message<std::vector<std::string>>(name, "MetadataNamespaces",
                                                  [](MessageReader& nested) {
                                                    nested.ignore({"typed"});
                                                    return *nested.texts("untyped");
                                                  });
}

MetadataNamespaces read_metadata(MessageReader& fields) {
  fields.ignore({"cluster_metadata_forwarding_namespaces"});
  return {.forwarding = read_namespaces(fields, "forwarding_namespaces"),
          .receiving = read_namespaces(fields, "receiving_namespaces")};
}

void read_header_rules(MessageReader& fields, FilterConfig& config) {
  fields.message<bool>("forward_rules", "HeaderForwardingRules", [&](MessageReader& rules) {
    config.allowed_headers = read_matchers(rules, "allowed_headers");
    config.disallowed_headers = read_matchers(rules, "disallowed_headers");
    return true;
  });
}

RouteCacheAction read_route_cache(MessageReader& fields) {
  const auto action =
      static_cast<RouteCacheAction>(*fields.choice("route_cache_action", kRouteCacheActions));
  if (!fields.boolean("disable_clear_route_cache")) return action;
  if (action != RouteCacheAction::when_asked) {
    fields.problem(
        fields.node("disable_clear_route_cache").key, "route-cache-twice",
        "disable_clear_route_cache excludes route_cache_action: Envoy refuses the configuration",
        "remove one of the two");
  }
  return RouteCacheAction::retain;
}

int read_status(MessageReader& fields) {
  const Field code = fields.node("code");
  if (!code) return 0;
  const int status = http_status(text(code.value));
  if (status == 0) {
    fields.problem(code.value, "unknown-value",
                   "code is not a status code: Envoy refuses the configuration",
                   "name one of envoy.type.v3.StatusCode, or its number");
  }
  return status;
}

void read_times(MessageReader& fields, FilterConfig& config) {
  config.message_timeout = fields.duration("message_timeout", config.message_timeout);
  config.max_message_timeout = fields.duration("max_message_timeout", config.max_message_timeout);
  config.deferred_close_timeout =
      fields.duration("deferred_close_timeout", config.deferred_close_timeout);
}

void read_switches(MessageReader& fields, FilterConfig& config) {
  config.allow_mode_override = fields.boolean("allow_mode_override");
  config.disable_immediate_response = fields.boolean("disable_immediate_response");
}

/// Inside Envoy the filter itself says what is none.
int read_code(MessageReader& fields) {
  return static_cast<int>(envoy_config::number(fields.node("code").value).value_or(0));
}

/// What both kinds of filters have.
void read_common(MessageReader& fields, FilterConfig& config, bool in_process) {
  config.processing_mode =
      fields.message<StatedMode>("processing_mode", "ProcessingMode", read_mode);
  config.request_attributes = fields.texts("request_attributes");
  config.response_attributes = fields.texts("response_attributes");
  config.metadata =
      *fields.message<MetadataNamespaces>("metadata_options", "MetadataOptions", read_metadata);
  const auto status =
      fields.message<int>("status_on_error", "HttpStatus", in_process ? read_code : read_status);
  // Envoy takes what is no error for the default.
  if (*status >= 400) config.status_on_error = status;
  config.mutation_rules =
      fields.message<MutationRules>("mutation_rules", "HeaderMutationRules", read_rules);
  config.failure_mode_allow = fields.boolean("failure_mode_allow");
  config.observability_mode = fields.boolean("observability_mode");
  config.send_body_without_waiting =
      fields.boolean("send_body_without_waiting_for_header_response");
  config.allow_content_length_header = fields.boolean("allow_content_length_header");
}

}  // namespace

FilterConfig read_in_process_config(const YAML::Node& message, std::vector<Problem>& problems) {
  FilterConfig config;
  MessageReader fields(message, "filter_config", problems);
  read_common(fields, config, true);
  fields.ignore({"processors", "settings", "module_path", "reveal_chain", "applied_header",
                 "blocking_threads", "blocking_queue", "memory_bytes", "held_bytes_per_stream",
                 "held_time"});
  fields.done();
  return config;
}

FilterConfig read_filter_config(const YAML::Node& message, std::vector<Problem>& problems) {
  FilterConfig config;
  MessageReader fields(message, "ExternalProcessor", problems);
  config.grpc_service = fields.message<GrpcService>("grpc_service", "GrpcService", read_service);
  read_common(fields, config, false);
  config.allowed_override_modes =
      fields.messages<ProcessingMode>("allowed_override_modes", "ProcessingMode", read_mode);
  config.route_cache_action = read_route_cache(fields);
  read_header_rules(fields, config);
  read_times(fields, config);
  read_switches(fields, config);
  config.http_service = fields.key_of("http_service");
  config.on_processing_response = fields.key_of("on_processing_response");
  config.processing_request_modifier = fields.key_of("processing_request_modifier");
  fields.ignore({"stat_prefix", "filter_metadata", "emit_client_span"});
  fields.done();
  return config;
}

RouteConfig read_route_config(const YAML::Node& message, std::vector<Problem>& problems) {
  RouteConfig config;
  MessageReader fields(message, "ExtProcPerRoute", problems);
  config.disabled = fields.boolean("disabled");
  fields.message<bool>("overrides", "ExtProcOverrides", [&](MessageReader& overrides) {
    config.processing_mode =
        overrides.message<StatedMode>("processing_mode", "ProcessingMode", read_mode);
    config.grpc_service =
        overrides.message<GrpcService>("grpc_service", "GrpcService", read_service);
    config.grpc_initial_metadata = read_headers(overrides, "grpc_initial_metadata");
    config.failure_mode_allow = overrides.boolean("failure_mode_allow");
    config.metadata = *overrides.message<MetadataNamespaces>("metadata_options", "MetadataOptions",
                                                             read_metadata);
    config.request_attributes = overrides.key_of("request_attributes");
    config.response_attributes = overrides.key_of("response_attributes");
    config.processing_request_modifier = overrides.key_of("processing_request_modifier");
    overrides.ignore({"async_mode", "emit_client_span"});
    return true;
  });
  fields.done();
  return config;
}

}  // namespace extproc::envoy_config
