#include "filter/filter_config.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/header_name.h"
#include "extproc/detail/blocking_pool.h"
#include "extproc/error.h"
#include "extproc/limits.h"
#include "filter/config_text.h"
#include "rules/header_rules.h"

namespace extproc::filter {
namespace {

constexpr std::size_t kMemoryBytes = std::size_t{256} << 20;
constexpr unsigned kMostThreads = 1024;

/// What stands where it stands, and why it is not taken.
[[noreturn]] void refuse(const OwnSettings& in, std::string_view key, const std::string& why) {
  const std::string where = in.where();
  throw Error((where.empty() ? "" : where + ": ") + std::string(key) + " " + why);
}

/// A text that is one of some.
std::string one_of(const OwnSettings& in, std::string_view key,
                   std::span<const std::string_view> accepted) {
  std::string text = in.get<std::string>(key);
  if (std::ranges::find(accepted, text) != accepted.end()) return text;
  std::string list;
  for (const std::string_view each : accepted) list.append(list.empty() ? "" : ", ").append(each);
  refuse(in, key, "is \"" + text + "\": it must be one of " + list);
}

std::optional<HeaderSendMode> header_mode(const OwnSettings& in, std::string_view key) {
  static constexpr std::string_view kModes[] = {"DEFAULT", "SEND", "SKIP"};
  if (!in.has(key)) return std::nullopt;
  const std::string mode = one_of(in, key, kModes);
  if (mode == "DEFAULT") return std::nullopt;
  return mode == "SEND" ? HeaderSendMode::send : HeaderSendMode::skip;
}

std::optional<BodySendMode> body_mode(const OwnSettings& in, std::string_view key) {
  static constexpr std::string_view kModes[] = {"NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL"};
  if (!in.has(key)) return std::nullopt;
  const std::string mode = in.get<std::string>(key);
  if (mode == to_string(BodySendMode::full_duplex_streamed) ||
      mode == to_string(BodySendMode::grpc))
    refuse(in, key,
           "is " + mode +
               ", which Envoy's dynamic modules have no means for: use STREAMED, in which handlers "
               "over whole bodies work as well, or ext_proc");
  const std::string known = one_of(in, key, kModes);
  for (const BodySendMode each : {BodySendMode::none, BodySendMode::streamed,
                                  BodySendMode::buffered, BodySendMode::buffered_partial}) {
    if (to_string(each) == known) return each;
  }
  return std::nullopt;
}

void read_modes(const OwnSettings& in, FilterConfig& config) {
  const auto send = [&](Phase phase) -> auto& {
    return config.send[static_cast<std::size_t>(phase)];
  };
  send(Phase::request_headers) = header_mode(in, "request_header_mode");
  send(Phase::response_headers) = header_mode(in, "response_header_mode");
  send(Phase::request_trailers) = header_mode(in, "request_trailer_mode");
  send(Phase::response_trailers) = header_mode(in, "response_trailer_mode");
  config.request_body_mode = body_mode(in, "request_body_mode");
  config.response_body_mode = body_mode(in, "response_body_mode");
}

std::vector<std::string> texts(const OwnSettings& in, std::string_view key) {
  return in.get_or(key, std::vector<std::string>());
}

void read_metadata(const OwnSettings& in, FilterConfig& config) {
  const auto options = in.find<OwnSettings>("metadata_options");
  if (!options) return;
  if (const auto forwarding = options->find<OwnSettings>("forwarding_namespaces")) {
    config.metadata_namespaces = texts(*forwarding, "untyped");
    config.typed_metadata_namespaces = texts(*forwarding, "typed");
  }
  // Here all of what processors set is taken.
  if (const auto receiving = options->find<OwnSettings>("receiving_namespaces")) {
    texts(*receiving, "untyped");
    texts(*receiving, "typed");
  }
}

void read_chain_header(const OwnSettings& in, FilterConfig& config) {
  const bool reveals = in.get_or("reveal_chain", true);
  std::string name = in.get_or("applied_header", std::string(rules::kChainHeader));
  std::ranges::transform(name, name.begin(), lower_case);
  if (!rules::is_token(name) || rules::is_pseudo_header(name) || name == "host")
    refuse(in, "applied_header",
           "is \"" + name +
               "\": it must be the name of a header, other than \"host\" and those that begin with "
               "\":\"");
  if (reveals) config.chain_header = std::move(name);
}

void read_limits(const OwnSettings& in, FilterConfig& config) {
  const Limits limits;
  config.blocking_threads = in.get_or("blocking_threads", detail::BlockingPool::kDefaultThreads);
  if (config.blocking_threads == 0 || config.blocking_threads > kMostThreads)
    refuse(in, "blocking_threads", "must be from 1 to " + std::to_string(kMostThreads));
  config.blocking_queue = in.get_or("blocking_queue", detail::BlockingPool::kDefaultQueue);
  config.memory_bytes = in.get_or("memory_bytes", ByteSize{kMemoryBytes}).bytes;
  config.held_bytes =
      in.get_or("held_bytes_per_stream", ByteSize{limits.held_bytes_per_stream}).bytes;
  config.held_time = in.get_or("held_time", limits.held_time);
}

// What ext_proc has, and has no meaning here.
void refuse_of_ext_proc(const OwnSettings& in) {
  if (in.has("grpc_service") || in.has("http_service"))
    refuse(in, in.has("grpc_service") ? "grpc_service" : "http_service",
           "is for ext_proc: the processor runs inside Envoy, leave it out");
  for (const std::string_view key : {"message_timeout", "max_message_timeout"}) {
    if (in.has(key))
      refuse(
          in, key,
          "is for ext_proc: inside Envoy no message is timed, leave it out, and let handlers that "
          "wait use fall_back_after");
  }
}

void read_processors(std::string_view filter_name, const OwnSettings& in, FilterConfig& config) {
  for (const OwnSettings& each : in.get_or("processors", std::vector<OwnSettings>()))
    config.processors.push_back(
        {each.get<std::string>("name"), each.get_or("settings", OwnSettings())});
  if (!config.processors.empty()) return;
  if (filter_name.empty())
    throw Error(std::string(kConfigName) +
                " names no processor: give `processors`, or filter_name as module.Name");
  config.processors.push_back({std::string(filter_name), in.get_or("settings", OwnSettings())});
}

FilterConfig read(std::string_view filter_name, const OwnSettings& in) {
  FilterConfig config;
  refuse_of_ext_proc(in);
  read_processors(filter_name, in, config);
  config.module_path = texts(in, "module_path");
  if (const auto modes = in.find<OwnSettings>("processing_mode")) read_modes(*modes, config);
  config.send_body_without_waiting =
      in.get_or("send_body_without_waiting_for_header_response", false);
  config.observability_mode = in.get_or("observability_mode", false);
  config.failure_mode_allow = in.get_or("failure_mode_allow", false);
  if (const auto status = in.find<OwnSettings>("status_on_error")) {
    config.status_on_error = status->get<int>("code");
    if (config.status_on_error < 200 || config.status_on_error > 599)
      refuse(*status, "status_on_error.code", "must be from 200 to 599");
    // As Envoy takes it.
    if (config.status_on_error < 400) config.status_on_error = kStatusOnError;
  }
  if (const auto rules = in.find<OwnSettings>("mutation_rules")) {
    config.filter.allow_all_routing = rules->get_or("allow_all_routing", false);
    config.filter.allow_envoy = rules->get_or("allow_envoy", false);
  }
  config.filter.allow_content_length_header = in.get_or("allow_content_length_header", false);
  config.request_attributes = texts(in, "request_attributes");
  config.response_attributes = texts(in, "response_attributes");
  read_metadata(in, config);
  read_chain_header(in, config);
  read_limits(in, config);
  config.all = in;
  return config;
}

/// A processor without settings reads an empty mapping, so that what it misses has a place.
void fill_in_settings(detail::SettingNode& root) {
  constexpr std::string_view kSettings = "settings";
  for (std::size_t i = 0; i < root.keys.size(); ++i) {
    if (root.keys[i].name != "processors") continue;
    for (detail::SettingNode& each : root.items[i].items) {
      if (each.kind != detail::SettingNode::Kind::mapping || each.find(kSettings) != nullptr)
        continue;
      each.keys.push_back({std::string(kSettings), each.line});
      each.items.push_back({.kind = detail::SettingNode::Kind::mapping, .line = each.line});
    }
  }
}

OwnSettings settings_of(std::string_view text) {
  detail::SettingNode root = read_config_text(text);
  fill_in_settings(root);
  if (root.kind == detail::SettingNode::Kind::nothing)
    root.kind = detail::SettingNode::Kind::mapping;
  if (root.kind != detail::SettingNode::Kind::mapping)
    throw Error(std::string(kConfigName) +
                " must be a mapping, as in {\"processors\": [{\"name\": "
                "\"examples.TrivialExtProcService\"}]}");
  return {std::move(root), std::string(kConfigName), {}};
}

}  // namespace

FilterConfig read_filter_config(std::string_view filter_name, std::string_view text) {
  return read(filter_name, settings_of(text));
}

RouteConfig read_route_config(std::string_view filter_name, std::string_view text) {
  const OwnSettings in = settings_of(text);
  if (!in.get_or("disabled", false)) return {.config = read(filter_name, in)};
  in.check_all_read();
  return {.disabled = true};
}

}  // namespace extproc::filter
