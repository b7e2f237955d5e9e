#include "filter/attributes.h"

#include <algorithm>
#include <cstdint>
#include <protozero/pbf_writer.hpp>
#include <type_traits>

#include "extproc/host.h"
#include "extproc/struct.h"
#include "filter/abi.h"

namespace extproc::filter {
namespace {

/// As ext_proc's filter names itself with attributes, so that processors find them as they do
/// there.
constexpr std::string_view kFilterName = "envoy.filters.http.ext_proc";

enum class AttributeKind : std::uint8_t { text, number, boolean };

struct Attribute {
  std::string_view name;
  int number;
  AttributeKind kind;
};

/// Those that Envoy tells; it logs an error for the others that have a number.
constexpr Attribute kAttributes[] = {
    {"request.path", 0, AttributeKind::text},
    {"request.url_path", 1, AttributeKind::text},
    {"request.host", 2, AttributeKind::text},
    {"request.scheme", 3, AttributeKind::text},
    {"request.method", 4, AttributeKind::text},
    {"request.referer", 6, AttributeKind::text},
    {"request.useragent", 7, AttributeKind::text},
    {"request.id", 9, AttributeKind::text},
    {"request.protocol", 10, AttributeKind::text},
    {"request.query", 11, AttributeKind::text},
    {"response.code", 15, AttributeKind::number},
    {"source.address", 24, AttributeKind::text},
    {"source.port", 25, AttributeKind::number},
    {"destination.address", 26, AttributeKind::text},
    {"destination.port", 27, AttributeKind::number},
    {"connection.id", 28, AttributeKind::number},
    {"connection.mtls", 29, AttributeKind::boolean},
    {"connection.tls_version", 31, AttributeKind::text},
    {"connection.subject_local_certificate", 32, AttributeKind::text},
    {"connection.subject_peer_certificate", 33, AttributeKind::text},
    {"connection.dns_san_local_certificate", 34, AttributeKind::text},
    {"connection.dns_san_peer_certificate", 35, AttributeKind::text},
    {"connection.uri_san_local_certificate", 36, AttributeKind::text},
    {"connection.uri_san_peer_certificate", 37, AttributeKind::text},
    {"connection.sha256_peer_certificate_digest", 38, AttributeKind::text},
    {"upstream.address", 41, AttributeKind::text},
    {"upstream.port", 42, AttributeKind::number},
    {"xds.route_name", 61, AttributeKind::text},
};

const Attribute* find_attribute(std::string_view name) {
  const auto* const found = std::ranges::find(kAttributes, name, &Attribute::name);
  return found == std::end(kAttributes) ? nullptr : found;
}

void add(Struct& to, void* envoy, const Attribute& attribute) {
  abi::Bytes text;
  std::uint64_t number = 0;
  bool boolean = false;
  if (attribute.kind == AttributeKind::boolean) {
    if (EXTPROC_ENVOY_CALL(http_filter_get_attribute_bool)(envoy, attribute.number, &boolean))
      to.set(attribute.name, boolean);
  } else if (attribute.kind == AttributeKind::text) {
    if (EXTPROC_ENVOY_CALL(http_filter_get_attribute_string)(envoy, attribute.number, &text))
      to.set(attribute.name, text.view());
  } else if (EXTPROC_ENVOY_CALL(http_filter_get_attribute_int)(envoy, attribute.number, &number)) {
    to.set(attribute.name, number);
  }
}

/// False where not all values of the list are such.
template <class T, class Get>
bool add_list(Struct& to, void* envoy, abi::Bytes space, abi::Bytes key, Get get) {
  std::size_t size = 0;
  if (!EXTPROC_ENVOY_CALL(http_get_metadata_list_size)(envoy, abi::kDynamic, space, key, &size))
    return false;
  List list;
  for (std::size_t place = 0; place < size; ++place) {
    T value{};
    if (!get(envoy, abi::kDynamic, space, key, place, &value)) return false;
    if constexpr (std::is_same_v<T, abi::Bytes>) {
      list.append(value.data == nullptr ? std::string_view() : value.view());
    } else {
      list.append(value);
    }
  }
  to.set(key.view(), list);
  return true;
}

bool add_as(MetadataKinds::Kind kind, Struct& to, void* envoy, abi::Bytes space, abi::Bytes key) {
  abi::Bytes text;
  double number = 0;
  bool boolean = false;
  switch (kind) {
    case MetadataKinds::Kind::text:
      if (!EXTPROC_ENVOY_CALL(http_get_metadata_string)(envoy, abi::kDynamic, space, key, &text))
        return false;
      to.set(key.view(), text.view());
      return true;
    case MetadataKinds::Kind::number:
      if (!EXTPROC_ENVOY_CALL(http_get_metadata_number)(envoy, abi::kDynamic, space, key, &number))
        return false;
      to.set(key.view(), number);
      return true;
    case MetadataKinds::Kind::boolean:
      if (!EXTPROC_ENVOY_CALL(http_get_metadata_bool)(envoy, abi::kDynamic, space, key, &boolean))
        return false;
      to.set(key.view(), boolean);
      return true;
    case MetadataKinds::Kind::texts:
      return add_list<abi::Bytes>(to, envoy, space, key,
                                  EXTPROC_ENVOY_CALL(http_get_metadata_list_string));
    case MetadataKinds::Kind::numbers:
      return add_list<double>(to, envoy, space, key,
                              EXTPROC_ENVOY_CALL(http_get_metadata_list_number));
    case MetadataKinds::Kind::booleans:
      return add_list<bool>(to, envoy, space, key, EXTPROC_ENVOY_CALL(http_get_metadata_list_bool));
  }
  return false;
}

// Where the kind that is asked for is another Envoy logs an error: so the last is asked for first.
void add_metadata(Struct& to, void* envoy, abi::Bytes space, abi::Bytes key, MetadataKinds& kinds) {
  using Kind = MetadataKinds::Kind;
  const auto known = kinds.find(space.view(), key.view());
  if (known && add_as(*known, to, envoy, space, key)) return;
  for (const Kind kind :
       {Kind::text, Kind::number, Kind::boolean, Kind::texts, Kind::numbers, Kind::booleans}) {
    if (known == kind || !add_as(kind, to, envoy, space, key)) continue;
    return kinds.note(space.view(), key.view(), kind);
  }
}

Struct metadata_of(void* envoy, const std::string& space, MetadataKinds& kinds) {
  Struct fields;
  const abi::Bytes name = abi::bytes(space);
  std::vector<abi::Bytes> keys(
      EXTPROC_ENVOY_CALL(http_get_metadata_keys_count)(envoy, abi::kDynamic, name));
  if (keys.empty() ||
      !EXTPROC_ENVOY_CALL(http_get_metadata_keys)(envoy, abi::kDynamic, name, keys.data()))
    return fields;
  for (const abi::Bytes key : keys) add_metadata(fields, envoy, name, key, kinds);
  return fields;
}

/// An entry of a map whose values are messages.
void add_entry(std::string& out, unsigned field, std::string_view key, std::string_view value) {
  protozero::pbf_writer map(out);
  protozero::pbf_writer entry(map, field);
  entry.add_string(1, key.data(), key.size());
  entry.add_message(2, value.data(), value.size());
}

}  // namespace

std::optional<MetadataKinds::Kind> MetadataKinds::find(std::string_view space,
                                                       std::string_view key) const {
  const auto found = known_.find(std::pair(std::string(space), std::string(key)));
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

void MetadataKinds::note(std::string_view space, std::string_view key, Kind kind) {
  constexpr std::size_t kMost = 1024;
  if (known_.size() >= kMost) known_.clear();
  known_.insert_or_assign(std::pair(std::string(space), std::string(key)), kind);
}

bool is_attribute(std::string_view name) { return find_attribute(name) != nullptr; }

std::string_view attribute_name(int number) {
  const auto* const found = std::ranges::find(kAttributes, number, &Attribute::number);
  return found == std::end(kAttributes) ? std::string_view() : found->name;
}

namespace {

std::string_view text_of(void* envoy, std::string_view name) {
  abi::Bytes text;
  const int number = find_attribute(name)->number;
  return EXTPROC_ENVOY_CALL(http_filter_get_attribute_string)(envoy, number, &text)
             ? text.view()
             : std::string_view();
}

}  // namespace

std::string_view source_address(void* envoy) { return text_of(envoy, "source.address"); }

std::uint64_t connection_id(void* envoy) {
  std::uint64_t id = 0;
  EXTPROC_ENVOY_CALL(http_filter_get_attribute_int)
  (envoy, find_attribute("connection.id")->number, &id);
  return id;
}

bool has_upstream(void* envoy) { return !text_of(envoy, "upstream.address").empty(); }

bool tells_metadata(const FilterConfig& config) {
  return !config.metadata_namespaces.empty() || !config.typed_metadata_namespaces.empty();
}

void EnvoySource::store_attributes(std::string& out) const {
  Struct fields;
  for (const std::string& name : attributes_) {
    if (const Attribute* attribute = find_attribute(name)) add(fields, envoy_, *attribute);
  }
  add_entry(out, host::kStoredAttributes, kFilterName, fields.bytes());
}

// envoy.config.core.v3.Metadata
void EnvoySource::store_metadata(std::string& out) const {
  out.clear();
  for (const std::string& space : config_.metadata_namespaces) {
    const Struct fields = metadata_of(envoy_, space, kinds_);
    if (!fields.empty()) add_entry(out, 1, space, fields.bytes());
  }
  for (const std::string& space : config_.typed_metadata_namespaces) {
    abi::Bytes type_url;
    abi::Bytes value;
    if (!EXTPROC_ENVOY_CALL(http_get_typed_metadata)(envoy_, abi::kDynamic, abi::bytes(space),
                                                     &type_url, &value))
      continue;
    std::string any;
    protozero::pbf_writer writer(any);
    writer.add_string(1, type_url.data, type_url.size);
    writer.add_bytes(2, value.data, value.size);
    add_entry(out, 2, space, any);
  }
}

}  // namespace extproc::filter
