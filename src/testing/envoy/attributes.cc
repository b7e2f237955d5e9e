#include "testing/envoy/attributes.h"

#include <protozero/pbf_writer.hpp>

namespace extproc::testing::envoy {
namespace {

using protozero::pbf_writer;

constexpr std::string_view kFilterName = "envoy.filters.http.ext_proc";

std::string without_query(std::string_view path) {
  return std::string(path.substr(0, path.find('?')));
}

std::optional<std::string> header(const HeaderMap* headers, std::string_view name) {
  if (headers == nullptr) return std::nullopt;
  const auto* value = headers->get(name);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::string> evaluate(std::string_view name, const AttributeSource& source) {
  if (source.given != nullptr) {
    const auto given = source.given->find(std::string(name));
    if (given != source.given->end()) return given->second;
  }
  const auto path = header(source.request, ":path");
  if (name == "request.path") return path;
  if (name == "request.url_path" && path) return without_query(*path);
  if (name == "request.query" && path) {
    const auto mark = path->find('?');
    return mark == std::string::npos ? "" : path->substr(mark + 1);
  }
  if (name == "request.host") return header(source.request, ":authority");
  if (name == "request.scheme") return header(source.request, ":scheme");
  if (name == "request.method") return header(source.request, ":method");
  if (name == "request.referer") return header(source.request, "referer");
  if (name == "request.useragent") return header(source.request, "user-agent");
  if (name == "request.id") return header(source.request, "x-request-id");
  if (name == "request.protocol") return "HTTP/2";
  return std::nullopt;
}

std::string write_text_value(std::string_view text) {
  std::string value;
  pbf_writer(value).add_string(3, text.data(), text.size());
  return value;
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
  std::string bytes;
  pbf_writer writer(bytes);
  for (const auto& [key, text] : fields) {
    pbf_writer entry(writer, 1);
    entry.add_string(1, key);
    entry.add_message(2, write_text_value(text));
  }
  return bytes;
}

std::string write_attributes(const std::vector<std::string>& names, const AttributeSource& source) {
  std::map<std::string, std::string> values;
  for (const auto& name : names) {
    if (const auto value = evaluate(name, source)) values[name] = *value;
  }
  std::string entry;
  pbf_writer writer(entry);
  writer.add_string(1, kFilterName.data(), kFilterName.size());
  writer.add_message(2, write_struct(values));
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
