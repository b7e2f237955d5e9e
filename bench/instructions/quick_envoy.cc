// Envoy's side of the ABI for dynamic modules, as cheap as can be: headers that are always the
// same, and changes that go nowhere, so that what is counted is the filter.
#include "quick_envoy.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "filter/abi.h"

namespace bench {
namespace {

using extproc::filter::abi::Field;

constexpr Field field(std::string_view name, std::string_view value) {
  return {name.data(), name.size(), value.data(), value.size()};
}

constexpr std::array kRequest{
    field(":authority", "www.example.com"),
    field(":path", "/a/path?with=a&query=1"),
    field(":method", "GET"),
    field(":scheme", "https"),
    field("user-agent", "curl/7.88.1"),
    field("accept", "*/*"),
    field("x-forwarded-proto", "https"),
    field("x-request-id", "7d2b1f0e-2f3c-4a51-9d8e-0c6a5b4e3f21"),
};
constexpr std::array kResponse{
    field(":status", "200"),        field("content-type", "application/json"),
    field("content-length", "275"), field("date", "Mon, 30 Nov 2026 12:00:00 GMT"),
    field("server", "envoy"),
};

std::span<const Field> fields_of(extproc::filter::abi::Fields which) {
  using extproc::filter::abi::kRequestHeaders;
  return which == kRequestHeaders ? std::span<const Field>(kRequest) : kResponse;
}

}  // namespace

std::size_t changes = 0;

}  // namespace bench

namespace extproc::filter::abi {

// NOLINTBEGIN(readability-identifier-naming): Envoy's names
extern "C" {
#define EXTPROC_QUICK(result, name) result envoy_dynamic_module_callback_##name
EXTPROC_QUICK(void, log)(Level, Bytes) {}
EXTPROC_QUICK(bool, log_enabled)(Level level) { return level >= kInfo; }
EXTPROC_QUICK(bool, is_validation_mode)() { return false; }
EXTPROC_QUICK(std::uint32_t, get_concurrency)() { return 1; }
EXTPROC_QUICK(std::uint32_t, http_filter_get_worker_index)(void*) { return 0; }
EXTPROC_QUICK(const void*, get_most_specific_route_config)(void*) { return nullptr; }
EXTPROC_QUICK(std::size_t, http_get_headers_size)(void*, Fields which) {
  return bench::fields_of(which).size();
}
EXTPROC_QUICK(bool, http_get_headers)(void*, Fields which, Field* out) {
  std::ranges::copy(bench::fields_of(which), out);
  return true;
}
EXTPROC_QUICK(bool, http_set_header)(void*, Fields, Bytes, Bytes) { return ++bench::changes != 0; }
EXTPROC_QUICK(bool, http_add_header)(void*, Fields, Bytes, Bytes) { return ++bench::changes != 0; }
EXTPROC_QUICK(std::size_t, http_get_body_size)(void*, Body) { return 0; }
EXTPROC_QUICK(std::size_t, http_get_body_chunks_size)(void*, Body) { return 0; }
EXTPROC_QUICK(bool, http_get_body_chunks)(void*, Body, Bytes*) { return false; }
EXTPROC_QUICK(bool, http_append_body)(void*, Body, Bytes) { return true; }
EXTPROC_QUICK(bool, http_drain_body)(void*, Body, std::size_t) { return true; }
EXTPROC_QUICK(std::uint64_t, http_get_buffer_limit)(void*) { return 1U << 20; }
EXTPROC_QUICK(void, http_send_response)
(void*, std::uint32_t, const Field*, std::size_t, Bytes, Bytes) {}
EXTPROC_QUICK(void, http_send_response_headers)(void*, const Field*, std::size_t, bool) {}
EXTPROC_QUICK(void, http_send_response_data)(void*, Bytes, bool) {}
EXTPROC_QUICK(void, http_send_response_trailers)(void*, const Field*, std::size_t) {}
EXTPROC_QUICK(void, http_filter_reset_stream)(void*, unsigned, Bytes) {}
EXTPROC_QUICK(bool, http_received_buffered_request_body)(void*) { return false; }
EXTPROC_QUICK(bool, http_received_buffered_response_body)(void*) { return false; }
EXTPROC_QUICK(void, http_filter_continue_decoding)(void*) {}
EXTPROC_QUICK(void, http_filter_continue_encoding)(void*) {}
EXTPROC_QUICK(void*, http_filter_scheduler_new)(void*) { return nullptr; }
EXTPROC_QUICK(void, http_filter_scheduler_commit)(void*, std::uint64_t) {}
EXTPROC_QUICK(void, http_filter_scheduler_delete)(void*) {}
EXTPROC_QUICK(void, http_clear_route_cache)(void*) {}
EXTPROC_QUICK(bool, http_filter_get_attribute_string)(void*, int, Bytes*) { return false; }
EXTPROC_QUICK(bool, http_filter_get_attribute_int)(void*, int, std::uint64_t*) { return false; }
EXTPROC_QUICK(bool, http_filter_get_attribute_bool)(void*, int, bool*) { return false; }
EXTPROC_QUICK(bool, http_set_dynamic_metadata_struct)(void*, Bytes, Bytes) { return true; }
EXTPROC_QUICK(bool, http_set_dynamic_typed_metadata)(void*, Bytes, Bytes) { return true; }
EXTPROC_QUICK(std::size_t, http_get_metadata_keys_count)(void*, MetadataSource, Bytes) { return 0; }
EXTPROC_QUICK(bool, http_get_metadata_keys)(void*, MetadataSource, Bytes, Bytes*) { return false; }
EXTPROC_QUICK(bool, http_get_metadata_string)(void*, MetadataSource, Bytes, Bytes, Bytes*) {
  return false;
}
EXTPROC_QUICK(bool, http_get_metadata_number)(void*, MetadataSource, Bytes, Bytes, double*) {
  return false;
}
EXTPROC_QUICK(bool, http_get_metadata_bool)(void*, MetadataSource, Bytes, Bytes, bool*) {
  return false;
}
EXTPROC_QUICK(bool, http_get_typed_metadata)(void*, MetadataSource, Bytes, Bytes*, Bytes*) {
  return false;
}
EXTPROC_QUICK(bool, http_get_metadata_list_size)
(void*, MetadataSource, Bytes, Bytes, std::size_t*) { return false; }
EXTPROC_QUICK(bool, http_get_metadata_list_string)
(void*, MetadataSource, Bytes, Bytes, std::size_t, Bytes*) { return false; }
EXTPROC_QUICK(bool, http_get_metadata_list_number)
(void*, MetadataSource, Bytes, Bytes, std::size_t, double*) { return false; }
EXTPROC_QUICK(bool, http_get_metadata_list_bool)
(void*, MetadataSource, Bytes, Bytes, std::size_t, bool*) { return false; }
EXTPROC_QUICK(void*, http_get_active_span)(void*) { return nullptr; }
EXTPROC_QUICK(void*, http_span_spawn_child)(void*, void*, Bytes) { return nullptr; }
EXTPROC_QUICK(void, http_child_span_finish)(void*) {}
EXTPROC_QUICK(void, http_span_set_tag)(void*, Bytes, Bytes) {}
EXTPROC_QUICK(bool, http_span_get_trace_id)(void*, Bytes*) { return false; }
EXTPROC_QUICK(bool, http_span_get_span_id)(void*, Bytes*) { return false; }
EXTPROC_QUICK(int, http_filter_config_define_counter)
(void*, Bytes, Bytes*, std::size_t, std::size_t*) { return 0; }
EXTPROC_QUICK(int, http_filter_config_define_gauge)
(void*, Bytes, Bytes*, std::size_t, std::size_t*) { return 0; }
EXTPROC_QUICK(int, http_filter_increment_counter)
(void*, std::size_t, Bytes*, std::size_t, std::uint64_t) { return 0; }
EXTPROC_QUICK(int, http_filter_increment_gauge)
(void*, std::size_t, Bytes*, std::size_t, std::uint64_t) { return 0; }
EXTPROC_QUICK(int, http_filter_decrement_gauge)
(void*, std::size_t, Bytes*, std::size_t, std::uint64_t) { return 0; }
#undef EXTPROC_QUICK
}
// NOLINTEND(readability-identifier-naming)

}  // namespace extproc::filter::abi
