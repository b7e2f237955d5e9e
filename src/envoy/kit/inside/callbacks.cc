// What Envoy 1.40 does with each callback of its ABI for HTTP filters, for streams of the kit's.
#include "envoy/kit/inside/callbacks.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <utility>

#include "envoy/kit/inside/module_filter.h"
#include "filter/attributes.h"

namespace extproc::testing::envoy {
namespace {

thread_local const LogSink* log_here = nullptr;
std::mutex log_mutex;
std::vector<std::string> log_lines;
std::atomic<int> scheduler_count{0};
std::atomic<int> wrong_thread_count{0};
std::atomic<bool> validates{false};

struct Scheduler {
  std::weak_ptr<ModuleFilter*> filter;
  Worker& worker;
};

ModuleFilter& of(void* envoy) {
  auto& filter = *static_cast<ModuleFilter*>(envoy);
  if (filter.thread() != std::this_thread::get_id()) ++wrong_thread_count;
  return filter;
}

HeaderList list(const abi::Field* fields, std::size_t count) {
  HeaderList all;
  for (std::size_t i = 0; i < count; ++i)
    all.emplace_back(std::string(fields[i].name, fields[i].name_size),
                     std::string(fields[i].value, fields[i].value_size));
  return all;
}

std::string_view text(abi::Bytes bytes) {
  return bytes.data == nullptr ? std::string_view() : bytes.view();
}

/// False where there is none.
template <class T>
bool tell(const std::optional<T>& value, T* out) {
  if (value) *out = *value;
  return value.has_value();
}
bool tell(const std::optional<std::string_view>& value, abi::Bytes* out) {
  if (value) *out = abi::bytes(*value);
  return value.has_value();
}

ValueView metadata(void* envoy, abi::Bytes space, abi::Bytes key) {
  return of(envoy).metadata().find(text(space), text(key)).value_or(ValueView());
}

std::optional<ValueView> item(void* envoy, abi::Bytes space, abi::Bytes key, std::size_t place) {
  const auto items = metadata(envoy, space, key).list();
  return items && place < items->size() ? std::optional((*items)[place]) : std::nullopt;
}

ValueView attribute(void* envoy, int number) {
  return of(envoy).attribute(filter::attribute_name(number)).value_or(ValueView());
}

LogLevel level_of(abi::Level level) {
  if (level >= abi::kError) return LogLevel::error;
  return level == abi::kWarning ? LogLevel::warning : LogLevel::info;
}

int define(void* config, ModuleStatistics::Kind kind, abi::Bytes name, std::size_t* id) {
  *id = static_cast<ModuleStatistics*>(config)->define(kind, name.view());
  return 0;
}

int count(void* envoy, std::size_t id, std::uint64_t by) {
  of(envoy).setup().statistics.add(id, by);
  return 0;
}

}  // namespace

EnvoyLog::EnvoyLog(LogSink sink) : sink_(std::move(sink)) { log_here = &sink_; }
EnvoyLog::~EnvoyLog() { log_here = nullptr; }

std::vector<std::string> take_envoy_log() {
  const std::lock_guard lock(log_mutex);
  return std::exchange(log_lines, {});
}
int calls_on_wrong_threads() { return wrong_thread_count; }
int schedulers() { return scheduler_count; }
void set_validates(bool value) { validates = value; }

}  // namespace extproc::testing::envoy

namespace extproc::filter::abi {

namespace kit = testing::envoy;
using kit::of;
using kit::tell;
using Statistic = kit::ModuleStatistics::Kind;

// NOLINTBEGIN(readability-identifier-naming): Envoy's names
// NOLINTBEGIN(bugprone-macro-parentheses): results and names
extern "C" {
#define EXTPROC_CALLBACK(result, name) result envoy_dynamic_module_callback_##name

EXTPROC_CALLBACK(void, log)(Level level, Bytes message) {
  if (kit::log_here != nullptr) return (*kit::log_here)(kit::level_of(level), message.view());
  const std::lock_guard lock(kit::log_mutex);
  kit::log_lines.emplace_back(message.view());
}
EXTPROC_CALLBACK(bool, log_enabled)(Level level) { return level >= kInfo; }
EXTPROC_CALLBACK(bool, is_validation_mode)() { return kit::validates; }
EXTPROC_CALLBACK(std::uint32_t, get_concurrency)() { return 4; }
EXTPROC_CALLBACK(std::uint32_t, http_filter_get_worker_index)(void* f) {
  return of(f).setup().worker.index();
}
EXTPROC_CALLBACK(const void*, get_most_specific_route_config)(void* f) {
  return of(f).setup().route;
}

EXTPROC_CALLBACK(std::size_t, http_get_headers_size)(void* f, Fields which) {
  const auto* const map = of(f).fields(which);
  return map == nullptr ? 0 : map->size();
}
EXTPROC_CALLBACK(bool, http_get_headers)(void* f, Fields which, Field* out) {
  if (of(f).fields(which) == nullptr) return false;
  for (const auto& [name, value] : of(f).show(which))
    *out++ = {name.data(), name.size(), value.data(), value.size()};
  return true;
}
EXTPROC_CALLBACK(bool, http_set_header)(void* f, Fields which, Bytes name, Bytes value) {
  auto* const map = of(f).fields(which);
  if (map == nullptr) return false;
  const std::string key = kit::lower_case(name.view());
  kit::text(value).empty() ? map->remove(key) : map->set(key, value.view());
  of(f).hide(which);
  return true;
}
EXTPROC_CALLBACK(bool, http_add_header)(void* f, Fields which, Bytes name, Bytes value) {
  auto* const map = of(f).fields(which);
  if (map == nullptr || kit::text(value).empty()) return false;
  map->add(kit::lower_case(name.view()), value.view());
  of(f).hide(which);
  return true;
}

EXTPROC_CALLBACK(std::size_t, http_get_body_size)(void* f, Body which) {
  const auto* const body = of(f).body(which);
  return body == nullptr ? 0 : body->size();
}
EXTPROC_CALLBACK(std::size_t, http_get_body_chunks_size)(void* f, Body which) {
  const auto* const body = of(f).body(which);
  return body == nullptr || body->empty() ? 0 : 1;
}
EXTPROC_CALLBACK(bool, http_get_body_chunks)(void* f, Body which, Bytes* out) {
  const auto* const body = of(f).body(which);
  if (body == nullptr) return false;
  if (!body->empty()) *out = bytes(*body);
  return true;
}
EXTPROC_CALLBACK(bool, http_append_body)(void* f, Body which, Bytes more) {
  return of(f).append(which, kit::text(more));
}
EXTPROC_CALLBACK(bool, http_drain_body)(void* f, Body which, std::size_t size) {
  auto* const body = of(f).body(which);
  if (body == nullptr) return false;
  // What views of it there are must not be read any more.
  std::memset(body->data(), '#', std::min(size, body->size()));
  body->erase(0, size);
  return true;
}
EXTPROC_CALLBACK(std::uint64_t, http_get_buffer_limit)(void* f) {
  return of(f).setup().buffer_limit;
}

EXTPROC_CALLBACK(void, http_send_response)
(void* f, std::uint32_t status, const Field* headers, std::size_t count, Bytes body,
 Bytes details) {
  of(f).reply(static_cast<int>(status), kit::list(headers, count), kit::text(body),
              kit::text(details));
}
EXTPROC_CALLBACK(void, http_send_response_headers)
(void* f, const Field* headers, std::size_t count, bool end) {
  of(f).reply_headers(kit::list(headers, count), end);
}
EXTPROC_CALLBACK(void, http_send_response_data)(void* f, Bytes data, bool end) {
  of(f).reply_data(kit::text(data), end);
}
EXTPROC_CALLBACK(void, http_send_response_trailers)
(void* f, const Field* trailers, std::size_t count) {
  of(f).reply_trailers(kit::list(trailers, count));
}
EXTPROC_CALLBACK(void, http_filter_reset_stream)(void* f, unsigned, Bytes) { of(f).reset(); }
// No other filter is there that could have kept it.
EXTPROC_CALLBACK(bool, http_received_buffered_request_body)(void*) { return false; }
EXTPROC_CALLBACK(bool, http_received_buffered_response_body)(void*) { return false; }

EXTPROC_CALLBACK(void, http_filter_continue_decoding)(void* f) { of(f).go_on(kit::Side::request); }
EXTPROC_CALLBACK(void, http_filter_continue_encoding)(void* f) { of(f).go_on(kit::Side::response); }
EXTPROC_CALLBACK(void*, http_filter_scheduler_new)(void* f) {
  ++kit::scheduler_count;
  return new kit::Scheduler{of(f).alive(), of(f).setup().worker};
}
EXTPROC_CALLBACK(void, http_filter_scheduler_commit)(void* scheduler, std::uint64_t event) {
  const auto& its = *static_cast<kit::Scheduler*>(scheduler);
  its.worker.post([filter = its.filter, event] {
    if (const auto alive = filter.lock()) (*alive)->on_scheduled(event);
  });
}
EXTPROC_CALLBACK(void, http_filter_scheduler_delete)(void* scheduler) {
  --kit::scheduler_count;
  delete static_cast<kit::Scheduler*>(scheduler);
}

EXTPROC_CALLBACK(void, http_clear_route_cache)(void* f) { of(f).clear_route_cache(); }
EXTPROC_CALLBACK(bool, http_filter_get_attribute_string)(void* f, int number, Bytes* out) {
  return tell(kit::attribute(f, number).string(), out);
}
EXTPROC_CALLBACK(bool, http_filter_get_attribute_int)(void* f, int number, std::uint64_t* out) {
  const auto value = kit::attribute(f, number).number();
  if (value) *out = static_cast<std::uint64_t>(*value);
  return value.has_value();
}
EXTPROC_CALLBACK(bool, http_filter_get_attribute_bool)(void* f, int number, bool* out) {
  return tell(kit::attribute(f, number).boolean(), out);
}

EXTPROC_CALLBACK(bool, http_set_dynamic_metadata_struct)(void* f, Bytes space, Bytes value) {
  of(f).metadata().set(space.view(), kit::text(value));
  return true;
}
EXTPROC_CALLBACK(bool, http_set_dynamic_typed_metadata)(void* f, Bytes space, Bytes value) {
  of(f).metadata().set_typed(space.view(), kit::text(value));
  return true;
}
EXTPROC_CALLBACK(std::size_t, http_get_metadata_keys_count)(void* f, MetadataSource, Bytes space) {
  return of(f).metadata().keys(space.view()).size();
}
EXTPROC_CALLBACK(bool, http_get_metadata_keys)(void* f, MetadataSource, Bytes space, Bytes* out) {
  for (const std::string_view key : of(f).metadata().keys(space.view())) *out++ = bytes(key);
  return true;
}
EXTPROC_CALLBACK(bool, http_get_metadata_string)
(void* f, MetadataSource, Bytes space, Bytes key, Bytes* out) {
  return tell(kit::metadata(f, space, key).string(), out);
}
EXTPROC_CALLBACK(bool, http_get_metadata_number)
(void* f, MetadataSource, Bytes space, Bytes key, double* out) {
  return tell(kit::metadata(f, space, key).number(), out);
}
EXTPROC_CALLBACK(bool, http_get_metadata_bool)
(void* f, MetadataSource, Bytes space, Bytes key, bool* out) {
  return tell(kit::metadata(f, space, key).boolean(), out);
}
EXTPROC_CALLBACK(bool, http_get_typed_metadata)
(void* f, MetadataSource, Bytes space, Bytes* type_url, Bytes* value) {
  const auto* const any = of(f).metadata().typed(space.view());
  if (any == nullptr) return false;
  *type_url = *value = bytes("");
  protozero::pbf_reader reader(*any);
  while (reader.next()) {
    const auto view = reader.get_view();
    (reader.tag() == 1 ? *type_url : *value) = {view.data(), view.size()};
  }
  return true;
}
EXTPROC_CALLBACK(bool, http_get_metadata_list_size)
(void* f, MetadataSource, Bytes space, Bytes key, std::size_t* out) {
  const auto items = kit::metadata(f, space, key).list();
  if (items) *out = items->size();
  return items.has_value();
}
EXTPROC_CALLBACK(bool, http_get_metadata_list_string)
(void* f, MetadataSource, Bytes space, Bytes key, std::size_t place, Bytes* out) {
  return tell(kit::item(f, space, key, place).value_or(ValueView()).string(), out);
}
EXTPROC_CALLBACK(bool, http_get_metadata_list_number)
(void* f, MetadataSource, Bytes space, Bytes key, std::size_t place, double* out) {
  return tell(kit::item(f, space, key, place).value_or(ValueView()).number(), out);
}
EXTPROC_CALLBACK(bool, http_get_metadata_list_bool)
(void* f, MetadataSource, Bytes space, Bytes key, std::size_t place, bool* out) {
  return tell(kit::item(f, space, key, place).value_or(ValueView()).boolean(), out);
}

EXTPROC_CALLBACK(void*, http_get_active_span)(void* f) { return of(f).span.get(); }
EXTPROC_CALLBACK(void*, http_span_spawn_child)(void* f, void* parent, Bytes name) {
  auto& spans = of(f).spans;
  spans.push_back(std::make_unique<kit::Span>(
      kit::Span{.name = std::string(name.view()), .parent = static_cast<kit::Span*>(parent)}));
  return spans.back().get();
}
EXTPROC_CALLBACK(void, http_child_span_finish)(void* span) {
  static_cast<kit::Span*>(span)->finished = true;
}
EXTPROC_CALLBACK(void, http_span_set_tag)(void* span, Bytes name, Bytes value) {
  static_cast<kit::Span*>(span)->tags[std::string(name.view())] = value.view();
}
EXTPROC_CALLBACK(bool, http_span_get_trace_id)(void*, Bytes* out) {
  *out = bytes("0af7651916cd43dd8448eb211c80319c");
  return true;
}
EXTPROC_CALLBACK(bool, http_span_get_span_id)(void* span, Bytes* out) {
  *out = static_cast<kit::Span*>(span)->parent == nullptr ? bytes("b7ad6b7169203331")
                                                          : bytes("00f067aa0ba902b7");
  return true;
}

EXTPROC_CALLBACK(int, http_filter_config_define_counter)
(void* config, Bytes name, Bytes*, std::size_t, std::size_t* id) {
  return kit::define(config, Statistic::counter, name, id);
}
EXTPROC_CALLBACK(int, http_filter_config_define_gauge)
(void* config, Bytes name, Bytes*, std::size_t, std::size_t* id) {
  return kit::define(config, Statistic::gauge, name, id);
}
EXTPROC_CALLBACK(int, http_filter_increment_counter)
(void* f, std::size_t id, Bytes*, std::size_t, std::uint64_t by) { return kit::count(f, id, by); }
EXTPROC_CALLBACK(int, http_filter_increment_gauge)
(void* f, std::size_t id, Bytes*, std::size_t, std::uint64_t by) { return kit::count(f, id, by); }
EXTPROC_CALLBACK(int, http_filter_decrement_gauge)
(void* f, std::size_t id, Bytes*, std::size_t, std::uint64_t by) { return kit::count(f, id, -by); }

#undef EXTPROC_CALLBACK
}
// NOLINTEND(bugprone-macro-parentheses)
// NOLINTEND(readability-identifier-naming)

}  // namespace extproc::filter::abi
