#pragma once

#include <cstddef>
#include <cstdint>

#include "filter/abi.h"

/// The hooks of src/filter/hooks.cc that Envoy calls by their names.
// NOLINTNEXTLINE(bugprone-macro-parentheses): it makes a name
#define EXTPROC_HOOK_NAME(name) ::extproc::filter::abi::envoy_dynamic_module_on_##name

namespace extproc::filter::abi {

extern "C" {
const void* envoy_dynamic_module_on_http_filter_config_new(void* envoy_config, Bytes name,
                                                           Bytes config);
void envoy_dynamic_module_on_http_filter_config_destroy(const void* config);
const void* envoy_dynamic_module_on_http_filter_per_route_config_new(Bytes name, Bytes config);
void envoy_dynamic_module_on_http_filter_per_route_config_destroy(const void* config);
const void* envoy_dynamic_module_on_http_filter_new(const void* config, void* envoy);
void envoy_dynamic_module_on_http_filter_destroy(const void* filter);
OnHeaders envoy_dynamic_module_on_http_filter_request_headers(void*, const void* filter, bool end);
OnBody envoy_dynamic_module_on_http_filter_request_body(void*, const void* filter, bool end);
OnTrailers envoy_dynamic_module_on_http_filter_request_trailers(void*, const void* filter);
OnHeaders envoy_dynamic_module_on_http_filter_response_headers(void*, const void* filter, bool end);
OnBody envoy_dynamic_module_on_http_filter_response_body(void*, const void* filter, bool end);
OnTrailers envoy_dynamic_module_on_http_filter_response_trailers(void*, const void* filter);
void envoy_dynamic_module_on_http_filter_scheduled(void*, const void* filter, std::uint64_t);
void envoy_dynamic_module_on_http_filter_stream_complete(void*, const void*);
}

}  // namespace extproc::filter::abi
