#include "trace/resource.h"

#include <errno.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "extproc/version.h"
#include "trace/span_encoder.h"

namespace extproc::trace {
namespace {

constexpr unsigned kResourceSpansOfRequest = 1;
constexpr unsigned kResourceOfIts = 1;
constexpr unsigned kScopeSpansOfIts = 2;
constexpr unsigned kAttributesOfResource = 1;
constexpr unsigned kScopeOfIts = 1;
constexpr unsigned kNameOfScope = 1;
constexpr unsigned kVersionOfScope = 2;
constexpr unsigned kPartialSuccess = 1;
constexpr unsigned kRejectedSpans = 1;
constexpr unsigned kErrorMessage = 2;

constexpr std::size_t kMostOfAttribute = 4096;
constexpr std::size_t kMostOfMessage = 512;

void add_to_resource(protozero::pbf_writer& resource, std::string_view key,
                     std::string_view value) {
  add_text(resource, kAttributesOfResource, valid_text(key), value, kMostOfAttribute);
}

std::string service_name(const TraceSettings& settings) {
  if (!settings.service_name.empty()) return settings.service_name;
  return std::string("unknown_service:") + program_invocation_short_name;
}

std::size_t field_size(std::size_t bytes) {
  return 1 + static_cast<std::size_t>(protozero::length_of_varint(bytes)) + bytes;
}

}  // namespace

RequestFrame::RequestFrame(const TraceSettings& settings) {
  {
    protozero::pbf_writer writer(resource_);
    protozero::pbf_writer resource(writer, kResourceOfIts);
    const std::pair<std::string_view, std::string> own[] = {
        {"service.name", service_name(settings)},
        {"telemetry.sdk.language", "cpp"},
        {"telemetry.sdk.name", "extproc"},
        {"telemetry.sdk.version", EXTPROC_VERSION_STRING}};
    for (const auto& [key, value] : own) add_to_resource(resource, key, value);
    for (const auto& [key, value] : settings.resource_attributes) {
      const auto is_key = [&key = key](const auto& each) { return each.first == key; };
      if (std::ranges::none_of(own, is_key)) add_to_resource(resource, key, value);
    }
  }
  protozero::pbf_writer writer(scope_);
  protozero::pbf_writer scope(writer, kScopeOfIts);
  scope.add_string(kNameOfScope, "extproc");
  scope.add_string(kVersionOfScope, EXTPROC_VERSION_STRING);
}

std::string RequestFrame::before(std::size_t bytes) const {
  const std::size_t scope_spans = scope_.size() + bytes;
  const std::size_t resource_spans = resource_.size() + field_size(scope_spans);
  constexpr auto kType = protozero::pbf_wire_type::length_delimited;
  std::string frame;
  const auto add_head = [&frame](unsigned field, std::size_t size) {
    frame.push_back(static_cast<char>(protozero::tag_and_type(field, kType)));
    protozero::write_varint(std::back_inserter(frame), size);
  };
  add_head(kResourceSpansOfRequest, resource_spans);
  frame += resource_;
  add_head(kScopeSpansOfIts, scope_spans);
  frame += scope_;
  return frame;
}

Refused read_response(std::string_view response) try {
  Refused refused;
  protozero::pbf_reader whole(response.data(), response.size());
  while (whole.next(kPartialSuccess, protozero::pbf_wire_type::length_delimited)) {
    protozero::pbf_reader partial = whole.get_message();
    while (partial.next()) {
      switch (partial.tag_and_type()) {
        case protozero::tag_and_type(kRejectedSpans, protozero::pbf_wire_type::varint):
          refused.spans = static_cast<std::size_t>(std::max<std::int64_t>(partial.get_int64(), 0));
          break;
        case protozero::tag_and_type(kErrorMessage, protozero::pbf_wire_type::length_delimited): {
          const auto text = partial.get_view();
          refused.why = valid_text({text.data(), text.size()}, kMostOfMessage);
          break;
        }
        default:
          partial.skip();
      }
    }
  }
  return refused;
} catch (const protozero::exception&) {
  return {};
}

}  // namespace extproc::trace
