#include "filter/callbacks.h"

#include "filter/abi.h"

namespace extproc::filter {

std::string missing_callbacks() {
  std::string missing;
#define EXTPROC_NEED(name) \
  if (!has(&EXTPROC_ENVOY_CALL(name))) missing += missing.empty() ? #name : ", " #name
  EXTPROC_NEED(log);
  EXTPROC_NEED(log_enabled);
  EXTPROC_NEED(is_validation_mode);
  EXTPROC_NEED(get_concurrency);
  EXTPROC_NEED(http_filter_get_worker_index);
  EXTPROC_NEED(get_most_specific_route_config);
  EXTPROC_NEED(http_get_headers_size);
  EXTPROC_NEED(http_get_headers);
  EXTPROC_NEED(http_set_header);
  EXTPROC_NEED(http_add_header);
  EXTPROC_NEED(http_get_body_size);
  EXTPROC_NEED(http_get_body_chunks_size);
  EXTPROC_NEED(http_get_body_chunks);
  EXTPROC_NEED(http_append_body);
  EXTPROC_NEED(http_drain_body);
  EXTPROC_NEED(http_get_buffer_limit);
  EXTPROC_NEED(http_send_response);
  EXTPROC_NEED(http_send_response_headers);
  EXTPROC_NEED(http_send_response_data);
  EXTPROC_NEED(http_send_response_trailers);
  EXTPROC_NEED(http_filter_reset_stream);
  EXTPROC_NEED(http_received_buffered_request_body);
  EXTPROC_NEED(http_received_buffered_response_body);
  EXTPROC_NEED(http_filter_continue_decoding);
  EXTPROC_NEED(http_filter_continue_encoding);
  EXTPROC_NEED(http_filter_scheduler_new);
  EXTPROC_NEED(http_filter_scheduler_commit);
  EXTPROC_NEED(http_filter_scheduler_delete);
  EXTPROC_NEED(http_clear_route_cache);
  EXTPROC_NEED(http_filter_get_attribute_string);
  EXTPROC_NEED(http_filter_get_attribute_int);
  EXTPROC_NEED(http_filter_get_attribute_bool);
  EXTPROC_NEED(http_set_dynamic_metadata_struct);
  EXTPROC_NEED(http_set_dynamic_typed_metadata);
  EXTPROC_NEED(http_get_metadata_keys_count);
  EXTPROC_NEED(http_get_metadata_keys);
  EXTPROC_NEED(http_get_metadata_string);
  EXTPROC_NEED(http_get_metadata_number);
  EXTPROC_NEED(http_get_metadata_bool);
  EXTPROC_NEED(http_get_typed_metadata);
  EXTPROC_NEED(http_get_metadata_list_size);
  EXTPROC_NEED(http_get_metadata_list_string);
  EXTPROC_NEED(http_get_metadata_list_number);
  EXTPROC_NEED(http_get_metadata_list_bool);
  EXTPROC_NEED(http_get_active_span);
  EXTPROC_NEED(http_span_spawn_child);
  EXTPROC_NEED(http_child_span_finish);
  EXTPROC_NEED(http_span_set_tag);
  EXTPROC_NEED(http_span_get_trace_id);
  EXTPROC_NEED(http_span_get_span_id);
  EXTPROC_NEED(http_filter_config_define_counter);
  EXTPROC_NEED(http_filter_config_define_gauge);
  EXTPROC_NEED(http_filter_increment_counter);
  EXTPROC_NEED(http_filter_increment_gauge);
  EXTPROC_NEED(http_filter_decrement_gauge);
#undef EXTPROC_NEED
  if (missing.empty()) return missing;
  return "this Envoy lacks what the filter calls (" + missing +
         "): it needs Envoy 1.40 and later ones, whose dynamic modules have these callbacks";
}

}  // namespace extproc::filter
