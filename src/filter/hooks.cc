// What Envoy calls: each hook of an HTTP filter's module. Nothing may leave one but by returning:
// an exception would end Envoy.
#include <memory>
#include <string>
#include <string_view>

#include "base/what_was_thrown.h"
#include "extproc/error.h"
#include "extproc/log.h"
#include "filter/abi.h"
#include "filter/callbacks.h"
#include "filter/envoy_log.h"
#include "filter/filter.h"
#include "filter/filter_config.h"
#include "filter/route_filter.h"
#include "filter/stream.h"

namespace extproc::filter {
namespace {

/// A configuration that is not taken, within a catch block: Envoy refuses it with a text of its
/// own, so that the reason is in its log, line by line.
void refuse_for_what_was_thrown() {
  const std::string why = what_was_thrown();
  std::string_view left = why;
  while (!left.empty()) {
    const std::size_t end = left.find('\n');
    log_to_envoy(LogLevel::error, "extproc: " + std::string(left.substr(0, end)));
    left = end == std::string_view::npos ? std::string_view() : left.substr(end + 1);
  }
}

Stream& stream_of(const void* filter) { return *static_cast<Stream*>(const_cast<void*>(filter)); }

/// Calls `hook` in the stream's turn. Where it fails: `stop`, or `go_on` where the stream does so.
template <class Result, class Hook>
Result in_turn(const void* filter, Result go_on, Result stop, Hook hook) noexcept {
  if (filter == nullptr) return stop;
  Stream& stream = stream_of(filter);
  Stream::Turn turn(stream);
  try {
    return hook(stream, turn);
  } catch (...) {
    return stream.on_failure(what_was_thrown()) ? go_on : stop;
  }
}

abi::OnHeaders on_headers(const void* filter, Phase phase, bool end) noexcept {
  return in_turn(filter, abi::OnHeaders::go_on, abi::OnHeaders::stop,
                 [&](auto& stream, auto& turn) { return stream.on_headers(turn, phase, end); });
}

abi::OnBody on_body(const void* filter, Phase phase, bool end) noexcept {
  if (filter != nullptr && stream_of(filter).leaves_body(phase, end)) return abi::OnBody::go_on;
  return in_turn(filter, abi::OnBody::go_on, abi::OnBody::stop_no_buffer,
                 [&](auto& stream, auto& turn) { return stream.on_body(turn, phase, end); });
}

abi::OnTrailers on_trailers(const void* filter, Phase phase) noexcept {
  return in_turn(filter, abi::OnTrailers::go_on, abi::OnTrailers::stop,
                 [&](auto& stream, auto& turn) { return stream.on_trailers(turn, phase); });
}

void check_callbacks() {
  const std::string missing = missing_callbacks();
  if (!missing.empty()) throw Error(missing);
}

std::string_view text(abi::Bytes bytes) {
  return bytes.data == nullptr ? std::string_view() : bytes.view();
}

}  // namespace
}  // namespace extproc::filter

using extproc::Phase;
using extproc::filter::in_turn;
using extproc::filter::on_body;
using extproc::filter::on_headers;
using extproc::filter::on_trailers;
namespace abi = extproc::filter::abi;

// NOLINTBEGIN(bugprone-macro-parentheses): results and names
#define EXTPROC_HOOK(result, name) \
  extern "C" [[gnu::visibility("default")]] result envoy_dynamic_module_on_##name
// NOLINTEND(bugprone-macro-parentheses)

EXTPROC_HOOK(const char*, program_init)() { return "v0.2.0"; }

EXTPROC_HOOK(const void*, http_filter_config_new)
(void* envoy_config, abi::Bytes name, abi::Bytes config) {
  using namespace extproc::filter;
  try {
    check_callbacks();
    return new FilterHandle(
        Filter::make(read_filter_config(text(name), text(config)), envoy_config));
  } catch (...) {
    refuse_for_what_was_thrown();
  }
  return nullptr;
}

EXTPROC_HOOK(void, http_filter_config_destroy)(const void* config) {
  delete static_cast<const extproc::filter::FilterHandle*>(config);
}

EXTPROC_HOOK(const void*, http_filter_per_route_config_new)(abi::Bytes name, abi::Bytes config) {
  using namespace extproc::filter;
  try {
    check_callbacks();
    RouteConfig route = read_route_config(text(name), text(config));
    if (route.disabled) return new RouteFilter{.disabled = true};
    return new RouteFilter{.filter = Filter::make(*std::move(route.config), nullptr)};
  } catch (...) {
    refuse_for_what_was_thrown();
  }
  return nullptr;
}

EXTPROC_HOOK(void, http_filter_per_route_config_destroy)(const void* config) {
  delete static_cast<const extproc::filter::RouteFilter*>(config);
}

EXTPROC_HOOK(const void*, http_filter_new)(const void* config, void* envoy) {
  using namespace extproc::filter;
  try {
    return new Stream(*static_cast<const FilterHandle*>(config), envoy);
  } catch (...) {
    refuse_for_what_was_thrown();
  }
  return nullptr;
}

EXTPROC_HOOK(void, http_filter_destroy)(const void* filter) {
  in_turn(filter, 0, 0, [](auto& stream, auto&) {
    stream.on_destroy();
    return 0;
  });
}

EXTPROC_HOOK(abi::OnHeaders, http_filter_request_headers)(void*, const void* filter, bool end) {
  return on_headers(filter, Phase::request_headers, end);
}
EXTPROC_HOOK(abi::OnBody, http_filter_request_body)(void*, const void* filter, bool end) {
  return on_body(filter, Phase::request_body, end);
}
EXTPROC_HOOK(abi::OnTrailers, http_filter_request_trailers)(void*, const void* filter) {
  return on_trailers(filter, Phase::request_trailers);
}
EXTPROC_HOOK(abi::OnHeaders, http_filter_response_headers)(void*, const void* filter, bool end) {
  return on_headers(filter, Phase::response_headers, end);
}
EXTPROC_HOOK(abi::OnBody, http_filter_response_body)(void*, const void* filter, bool end) {
  return on_body(filter, Phase::response_body, end);
}
EXTPROC_HOOK(abi::OnTrailers, http_filter_response_trailers)(void*, const void* filter) {
  return on_trailers(filter, Phase::response_trailers);
}

EXTPROC_HOOK(void, http_filter_scheduled)(void*, const void* filter, std::uint64_t) {
  in_turn(filter, 0, 0, [](auto& stream, auto&) {
    stream.on_scheduled();
    return 0;
  });
}

// What Envoy demands of a module and what is of no use here: it tells of the caller's buffers to
// filters without an upstream alone, and nothing is called by the others.
EXTPROC_HOOK(void, http_filter_stream_complete)(void*, const void*) {}
EXTPROC_HOOK(void, http_filter_downstream_above_write_buffer_high_watermark)
(void*, const void*) {}
EXTPROC_HOOK(void, http_filter_downstream_below_write_buffer_low_watermark)
(void*, const void*) {}
EXTPROC_HOOK(void, http_filter_http_callout_done)
(void*, const void*, std::uint64_t, int, void*, std::size_t, void*, std::size_t) {}
EXTPROC_HOOK(void, http_filter_http_stream_headers)
(void*, const void*, std::uint64_t, void*, std::size_t, bool) {}
EXTPROC_HOOK(void, http_filter_http_stream_data)
(void*, const void*, std::uint64_t, const void*, std::size_t, bool) {}
EXTPROC_HOOK(void, http_filter_http_stream_trailers)
(void*, const void*, std::uint64_t, void*, std::size_t) {}
EXTPROC_HOOK(void, http_filter_http_stream_complete)(void*, const void*, std::uint64_t) {}
EXTPROC_HOOK(void, http_filter_http_stream_reset)(void*, const void*, std::uint64_t, int) {}
