#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What is used of Envoy's ABI for dynamic modules: HTTP filters, as of Envoy 1.40 (ABI v0.2.0).
/// The names are Envoy's, because the dynamic linker goes by them, and the types are laid out as
/// Envoy's are. Every callback is weak, so that a module says in words which one an Envoy lacks, in
/// place of not being loaded: see callbacks.h.
///
/// Threads: what has `filter` for its first argument is for that filter's worker, from
/// http_filter_new to http_filter_destroy; others say theirs. Views that Envoy hands out live until
/// the hook returns or what they are of is changed.
namespace extproc::filter::abi {

/// Bytes, Envoy's or the module's. Null: nothing.
struct Bytes {
  const char* data = nullptr;
  std::size_t size = 0;

  std::string_view view() const { return {data, size}; }
};
inline Bytes bytes(std::string_view text) { return {text.data(), text.size()}; }

/// A header.
struct Field {
  const char* name;
  std::size_t name_size;
  const char* value;
  std::size_t value_size;
};

enum Fields : int { kRequestHeaders, kRequestTrailers, kResponseHeaders, kResponseTrailers };
/// What a body hook was called with, and what the hooks before it left with Envoy.
enum Body : int { kReceivedRequest, kBufferedRequest, kReceivedResponse, kBufferedResponse };

enum class OnHeaders : int { go_on, stop };
enum class OnBody : int { go_on, stop_and_buffer, stop_and_watermark, stop_no_buffer };
enum class OnTrailers : int { go_on, stop };

enum Level : int { kTrace, kDebug, kInfo, kWarning, kError, kCritical, kOff };
enum MetadataSource : int { kDynamic };

extern "C" {

#define EXTPROC_ENVOY(result, name) \
  [[gnu::weak]] result envoy_dynamic_module_callback_##name  // NOLINT(bugprone-macro-parentheses)

// Any thread.
EXTPROC_ENVOY(void, log)(Level level, Bytes message);
EXTPROC_ENVOY(bool, log_enabled)(Level level);
// The main thread.
EXTPROC_ENVOY(bool, is_validation_mode)();
EXTPROC_ENVOY(std::uint32_t, get_concurrency)();

EXTPROC_ENVOY(std::uint32_t, http_filter_get_worker_index)(void* filter);
EXTPROC_ENVOY(const void*, get_most_specific_route_config)(void* filter);

EXTPROC_ENVOY(std::size_t, http_get_headers_size)(void* filter, Fields which);
EXTPROC_ENVOY(bool, http_get_headers)(void* filter, Fields which, Field* out);
/// Overwrites; an empty value removes.
EXTPROC_ENVOY(bool, http_set_header)(void* filter, Fields which, Bytes name, Bytes value);
/// Refuses an empty value.
EXTPROC_ENVOY(bool, http_add_header)(void* filter, Fields which, Bytes name, Bytes value);

EXTPROC_ENVOY(std::size_t, http_get_body_size)(void* filter, Body which);
EXTPROC_ENVOY(std::size_t, http_get_body_chunks_size)(void* filter, Body which);
EXTPROC_ENVOY(bool, http_get_body_chunks)(void* filter, Body which, Bytes* out);
EXTPROC_ENVOY(bool, http_append_body)(void* filter, Body which, Bytes bytes);
EXTPROC_ENVOY(bool, http_drain_body)(void* filter, Body which, std::size_t bytes);
EXTPROC_ENVOY(std::uint64_t, http_get_buffer_limit)(void* filter);

/// A local reply; the encoding hooks of this filter do not see it.
EXTPROC_ENVOY(void, http_send_response)
(void* filter, std::uint32_t status, const Field* headers, std::size_t count, Bytes body,
 Bytes details);
EXTPROC_ENVOY(void, http_send_response_headers)
(void* filter, const Field* headers, std::size_t count, bool end);
EXTPROC_ENVOY(void, http_send_response_data)(void* filter, Bytes bytes, bool end);
EXTPROC_ENVOY(void, http_send_response_trailers)
(void* filter, const Field* trailers, std::size_t count);
/// May destroy the filter. Reason 0: a local reset.
EXTPROC_ENVOY(void, http_filter_reset_stream)(void* filter, unsigned reason, Bytes details);

/// In the hook of a body alone: what it was called with is what Envoy keeps of the body, and not
/// something besides. So it is where a filter in front has kept it.
EXTPROC_ENVOY(bool, http_received_buffered_request_body)(void* filter);
EXTPROC_ENVOY(bool, http_received_buffered_response_body)(void* filter);

EXTPROC_ENVOY(void, http_filter_continue_decoding)(void* filter);
EXTPROC_ENVOY(void, http_filter_continue_encoding)(void* filter);
EXTPROC_ENVOY(void*, http_filter_scheduler_new)(void* filter);
/// Any thread, as long as the filter is not destroyed: http_filter_scheduled is called on its
/// worker, unless the filter is destroyed before.
EXTPROC_ENVOY(void, http_filter_scheduler_commit)(void* scheduler, std::uint64_t event);
EXTPROC_ENVOY(void, http_filter_scheduler_delete)(void* scheduler);

EXTPROC_ENVOY(void, http_clear_route_cache)(void* filter);
EXTPROC_ENVOY(bool, http_filter_get_attribute_string)(void* filter, int attribute, Bytes* out);
EXTPROC_ENVOY(bool, http_filter_get_attribute_int)
(void* filter, int attribute, std::uint64_t* out);
EXTPROC_ENVOY(bool, http_filter_get_attribute_bool)(void* filter, int attribute, bool* out);
/// A serialised google.protobuf.Struct, merged into what the namespace has.
EXTPROC_ENVOY(bool, http_set_dynamic_metadata_struct)(void* filter, Bytes name, Bytes value);
/// A serialised google.protobuf.Any.
EXTPROC_ENVOY(bool, http_set_dynamic_typed_metadata)(void* filter, Bytes name, Bytes value);
EXTPROC_ENVOY(std::size_t, http_get_metadata_keys_count)
(void* filter, MetadataSource source, Bytes name);
EXTPROC_ENVOY(bool, http_get_metadata_keys)
(void* filter, MetadataSource source, Bytes name, Bytes* out);
EXTPROC_ENVOY(bool, http_get_metadata_string)
(void* filter, MetadataSource source, Bytes name, Bytes key, Bytes* out);
EXTPROC_ENVOY(bool, http_get_metadata_number)
(void* filter, MetadataSource source, Bytes name, Bytes key, double* out);
EXTPROC_ENVOY(bool, http_get_metadata_bool)
(void* filter, MetadataSource source, Bytes name, Bytes key, bool* out);
/// The parts of a google.protobuf.Any.
EXTPROC_ENVOY(bool, http_get_typed_metadata)
(void* filter, MetadataSource source, Bytes name, Bytes* type_url, Bytes* value);

/// The length of a list, and what is at a place in it.
EXTPROC_ENVOY(bool, http_get_metadata_list_size)
(void* filter, MetadataSource source, Bytes name, Bytes key, std::size_t* out);
EXTPROC_ENVOY(bool, http_get_metadata_list_string)
(void* filter, MetadataSource source, Bytes name, Bytes key, std::size_t place, Bytes* out);
EXTPROC_ENVOY(bool, http_get_metadata_list_number)
(void* filter, MetadataSource source, Bytes name, Bytes key, std::size_t place, double* out);
EXTPROC_ENVOY(bool, http_get_metadata_list_bool)
(void* filter, MetadataSource source, Bytes name, Bytes key, std::size_t place, bool* out);

/// Envoy's span of the stream, which lives as long as that; null where Envoy traces nothing.
EXTPROC_ENVOY(void*, http_get_active_span)(void* filter);
/// A span of the module's own, to be finished by it; null where there can be none.
EXTPROC_ENVOY(void*, http_span_spawn_child)(void* filter, void* parent, Bytes name);
EXTPROC_ENVOY(void, http_child_span_finish)(void* span);
EXTPROC_ENVOY(void, http_span_set_tag)(void* span, Bytes name, Bytes value);
/// In hexadecimal digits, until the next call for either.
EXTPROC_ENVOY(bool, http_span_get_trace_id)(void* span, Bytes* out);
EXTPROC_ENVOY(bool, http_span_get_span_id)(void* span, Bytes* out);

// The main thread, in http_filter_config_new.
EXTPROC_ENVOY(int, http_filter_config_define_counter)
(void* config, Bytes name, Bytes* labels, std::size_t count, std::size_t* id);
EXTPROC_ENVOY(int, http_filter_config_define_gauge)
(void* config, Bytes name, Bytes* labels, std::size_t count, std::size_t* id);
EXTPROC_ENVOY(int, http_filter_increment_counter)
(void* filter, std::size_t id, Bytes* labels, std::size_t count, std::uint64_t by);
EXTPROC_ENVOY(int, http_filter_increment_gauge)
(void* filter, std::size_t id, Bytes* labels, std::size_t count, std::uint64_t by);
EXTPROC_ENVOY(int, http_filter_decrement_gauge)
(void* filter, std::size_t id, Bytes* labels, std::size_t count, std::uint64_t by);

#undef EXTPROC_ENVOY
}

}  // namespace extproc::filter::abi

// NOLINTNEXTLINE(bugprone-macro-parentheses): it makes a name
#define EXTPROC_ENVOY_CALL(name) ::extproc::filter::abi::envoy_dynamic_module_callback_##name
