#include "messages.h"

#include <initializer_list>
#include <protozero/pbf_writer.hpp>
#include <string_view>
#include <utility>

namespace bench {
namespace {

using List = std::initializer_list<std::pair<std::string_view, std::string_view>>;

std::string message(protozero::pbf_tag_type phase, const List& headers, bool first) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  {
    protozero::pbf_writer phase_writer(writer, phase);
    {
      protozero::pbf_writer map(phase_writer, 1);
      for (const auto& [name, value] : headers) {
        protozero::pbf_writer entry(map, 1);
        entry.add_string(1, name.data(), name.size());
        entry.add_bytes(3, value.data(), value.size());
      }
    }
    if (first) phase_writer.add_bool(3, true);
  }
  writer.add_message(8, std::string());              // metadata_context
  if (first) writer.add_message(11, std::string());  // protocol_config
  return bytes;
}

}  // namespace

std::string request_headers_message() {
  return message(2,
                 {{":authority", "127.0.0.1:10000"},
                  {":path", "/"},
                  {":method", "GET"},
                  {":scheme", "http"},
                  {"x-forwarded-proto", "http"},
                  {"x-request-id", "6f1c3c0e-2b67-4a52-9d3c-5f4e8a7b1d20"}},
                 true);
}

std::string response_headers_message() {
  return message(3,
                 {{":status", "200"},
                  {"content-type", "application/json"},
                  {"content-length", "214"},
                  {"x-envoy-upstream-service-time", "0"}},
                 false);
}

}  // namespace bench
