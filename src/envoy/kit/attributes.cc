#include "envoy/kit/attributes.h"

#include <charconv>
#include <optional>
#include <protozero/pbf_writer.hpp>
#include <variant>

namespace extproc::testing::envoy {
namespace {

using protozero::pbf_writer;

constexpr std::string_view kFilterName = "envoy.filters.http.ext_proc";

std::string without_query(std::string_view path) {
  return std::string(path.substr(0, path.find('?')));
}

using Value = std::variant<std::string, double, bool>;

std::optional<std::string> header(const HeaderMap* headers, std::string_view name) {
  if (headers == nullptr) return std::nullopt;
  const auto* value = headers->get(name);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<double> number(const std::optional<std::string>& text) {
  double value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc())
    return std::nullopt;
  return value;
}

// A map of headers, which Envoy turns into this text.
constexpr const char* kMap = "CelMap value";

std::optional<Value> evaluate_request(std::string_view name, const AttributeSource& source) {
  const auto path = header(source.request, ":path");
  if (name == "path") return path;
  if (name == "url_path" && path) return without_query(*path);
  if (name == "query" && path) {
    const auto mark = path->find('?');
    return mark == std::string::npos ? "" : path->substr(mark + 1);
  }
  if (name == "host") return header(source.request, ":authority");
  if (name == "scheme") return header(source.request, ":scheme");
  if (name == "method") return header(source.request, ":method");
  if (name == "referer") return header(source.request, "referer");
  if (name == "useragent") return header(source.request, "user-agent");
  if (name == "id") return header(source.request, "x-request-id");
  if (name == "protocol") return "HTTP/2";
  if (name == "headers") return kMap;
  if (name == "size") {
    const auto length = number(header(source.request, "content-length"));
    return length ? *length : static_cast<double>(source.request_bytes);
  }
  return std::nullopt;
}

constexpr std::string_view kNoRoute = "route_not_found";

// Envoy's flags of a response that it had to make itself; for many it has none.
double flags_of(std::string_view code_details) {
  if (code_details == kNoRoute) return 1U << 8U;
  if (code_details.starts_with("filter_removed_required_request_headers")) return 1U << 18U;
  if (code_details.ends_with("{protocol_error}")) return 1U << 23U;
  return 0;
}

std::optional<Value> evaluate_response(std::string_view name, const AttributeSource& source) {
  if (name == "headers" || name == "trailers") return kMap;
  if (name == "flags") return flags_of(source.code_details);
  if (name == "size") return static_cast<double>(source.response_bytes);
  if (source.response == nullptr) return std::nullopt;
  if (name == "code") return number(header(source.response, ":status"));
  if (name == "code_details") return std::string(source.code_details);
  return std::nullopt;
}

std::optional<Value> evaluate(std::string_view name, const AttributeSource& source) {
  if (source.given != nullptr) {
    const auto given = source.given->find(std::string(name));
    if (given != source.given->end()) return given->second;
  }
  const auto dot = name.find('.');
  const auto member = name.substr(dot == std::string_view::npos ? name.size() : dot + 1);
  if (name.starts_with("request.")) return evaluate_request(member, source);
  if (name.starts_with("response.")) return evaluate_response(member, source);
  if (name == "connection.mtls") return false;
  if (name == "connection.requested_server_name" || name == "metadata") return "";
  // No route is chosen for a request that no filter gets to see.
  if (name == "xds.route_name" && source.request != nullptr && source.request->size() > 0 &&
      source.code_details != kNoRoute)
    return "";
  if (name == "filter_state") return kMap;
  if (name == "xds.listener_direction") return 0.0;
  return std::nullopt;
}

std::string write_value(const Value& value) {
  std::string bytes;
  pbf_writer writer(bytes);
  if (const auto* text = std::get_if<std::string>(&value)) {
    writer.add_string(3, *text);
  } else if (const auto* amount = std::get_if<double>(&value)) {
    writer.add_double(2, *amount);
  } else {
    writer.add_bool(4, std::get<bool>(value));
  }
  return bytes;
}

std::string write_fields(const std::map<std::string, Value>& fields) {
  std::string bytes;
  pbf_writer writer(bytes);
  for (const auto& [key, value] : fields) {
    pbf_writer entry(writer, 1);
    entry.add_string(1, key);
    entry.add_message(2, write_value(value));
  }
  return bytes;
}

}  // namespace

bool is_known_attribute(std::string_view name) {
  for (const std::string_view family :
       {"request.", "response.", "connection.", "upstream.", "source.", "destination.", "xds.",
        "metadata", "filter_state"}) {
    if (name.starts_with(family)) return true;
  }
  return false;
}

std::string write_struct(const std::map<std::string, std::string>& fields) {
  return write_fields({fields.begin(), fields.end()});
}

std::string write_attributes(const std::vector<std::string>& names, const AttributeSource& source) {
  std::map<std::string, Value> values;
  for (const auto& name : names) {
    if (const auto value = evaluate(name, source)) values[name] = *value;
  }
  std::string entry;
  pbf_writer writer(entry);
  writer.add_string(1, kFilterName.data(), kFilterName.size());
  writer.add_message(2, write_fields(values));
  return entry;
}

std::string write_metadata(const std::map<std::string, std::string>& namespaces) {
  std::string bytes;
  pbf_writer writer(bytes);
  for (const auto& [name, value] : namespaces) {
    pbf_writer entry(writer, 1);
    entry.add_string(1, name);
    entry.add_message(2, value);
  }
  return bytes;
}

}  // namespace extproc::testing::envoy
