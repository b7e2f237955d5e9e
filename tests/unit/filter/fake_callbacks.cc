// The callbacks of Envoy's ABI, for the fake one's streams.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>

#include "filter/fake_envoy.h"
#include "filter/hook_declarations.h"

namespace extproc::fake {
namespace {

std::mutex log_mutex;
std::vector<std::string> log_lines;
std::atomic<int> scheduler_count{0};
std::atomic<int> wrong_thread_count{0};
std::atomic<bool> validates{false};

std::mutex statistics_mutex;
std::vector<std::pair<std::string, std::uint64_t>> statistics;

}  // namespace

std::vector<std::string> take_log() {
  const std::lock_guard lock(log_mutex);
  return std::exchange(log_lines, {});
}
int wrong_threads() { return wrong_thread_count; }
int schedulers() { return scheduler_count; }
void set_validates(bool value) { validates = value; }

std::uint64_t statistic(std::string_view name) {
  const std::lock_guard lock(statistics_mutex);
  std::uint64_t sum = 0;
  for (const auto& [its_name, value] : statistics) sum += its_name == name ? value : 0;
  return sum;
}

/// What the callbacks below do.
struct Callbacks {
  static Stream& of(void* filter) {
    auto& stream = *static_cast<Stream*>(filter);
    if (stream.thread_ != std::this_thread::get_id()) ++wrong_thread_count;
    return stream;
  }
  static Stream::Way& way(void* filter, abi::Body which) { return of(filter).way_[which / 2]; }
  static std::string* buffer(void* filter, abi::Body which) {
    Stream::Way& its = way(filter, which);
    const bool received = which == abi::kReceivedRequest || which == abi::kReceivedResponse;
    if (received) return its.received;
    return its.has_buffer ? &its.buffer : nullptr;
  }
  static Headers& map(void* filter, abi::Fields which) { return of(filter).maps_[which]; }
  static void go_on(void* filter, int way) { of(filter).go_on(way); }
  static const void* route(void* filter) { return of(filter).route_; }
  static std::uint32_t worker(void* filter) { return of(filter).worker_.index(); }

  static Headers copy(const abi::Field* fields, std::size_t count) {
    Headers all;
    for (std::size_t i = 0; i < count; ++i)
      all.emplace_back(std::string(fields[i].name, fields[i].name_size),
                       std::string(fields[i].value, fields[i].value_size));
    return all;
  }
  static Reply& reply(void* filter) {
    Stream& stream = of(filter);
    if (!stream.reply_) stream.reply_.emplace();
    return *stream.reply_;
  }
  static void end_reply(void* filter) {
    reply(filter).ended = true;
    if (of(filter).destroy_within_reply_) of(filter).destroy();
  }

  struct Scheduler {
    std::weak_ptr<Stream> stream;
    Worker* worker;
  };
  static void* new_scheduler(void* filter) {
    ++scheduler_count;
    return new Scheduler{of(filter).weak_from_this(), &of(filter).worker_};
  }
  static void commit(void* scheduler, std::uint64_t event) {
    const auto& its = *static_cast<Scheduler*>(scheduler);
    its.worker->post([stream = its.stream, event] {
      const auto there = stream.lock();
      if (there != nullptr && !there->destroyed_)
        EXTPROC_HOOK_NAME(http_filter_scheduled)(there.get(), there->module_, event);
    });
  }
  static void delete_scheduler(void* scheduler) {
    --scheduler_count;
    delete static_cast<Scheduler*>(scheduler);
  }
  /// Its number.
  static int define(abi::Bytes name, std::size_t* id) {
    const std::lock_guard lock(statistics_mutex);
    *id = statistics.size();
    statistics.emplace_back(name.view(), 0);
    return 0;
  }
  static int add(void* filter, std::size_t id, std::uint64_t value) {
    of(filter);
    const std::lock_guard lock(statistics_mutex);
    statistics.at(id).second += value;
    return 0;
  }
  static const std::map<std::string, std::string>& metadata(void* filter, abi::Bytes space) {
    return of(filter).metadata[std::string(space.view())];
  }
  static void log(abi::Bytes message) {
    const std::lock_guard lock(log_mutex);
    log_lines.emplace_back(message.view());
  }
};

}  // namespace extproc::fake

namespace extproc::filter::abi {

using fake::Callbacks;

// NOLINTBEGIN(readability-identifier-naming): Envoy's names
extern "C" {
#define EXTPROC_FAKE(result, name) result envoy_dynamic_module_callback_##name
EXTPROC_FAKE(void, log)(Level, Bytes message) { Callbacks::log(message); }
EXTPROC_FAKE(bool, log_enabled)(Level level) { return level >= kInfo; }
EXTPROC_FAKE(bool, is_validation_mode)() { return fake::validates; }
EXTPROC_FAKE(std::uint32_t, get_concurrency)() { return 4; }
EXTPROC_FAKE(std::uint32_t, http_filter_get_worker_index)(void* f) { return Callbacks::worker(f); }
EXTPROC_FAKE(const void*, get_most_specific_route_config)(void* f) { return Callbacks::route(f); }
EXTPROC_FAKE(std::size_t, http_get_headers_size)(void* f, Fields w) {
  return Callbacks::map(f, w).size();
}
EXTPROC_FAKE(bool, http_get_headers)(void* f, Fields w, Field* out) {
  for (const auto& [name, value] : Callbacks::map(f, w))
    *out++ = {name.data(), name.size(), value.data(), value.size()};
  return true;
}
EXTPROC_FAKE(bool, http_set_header)(void* f, Fields w, Bytes name, Bytes value) {
  auto& map = Callbacks::map(f, w);
  const auto at = std::ranges::find(
      map, name.view(), [](const auto& each) -> std::string_view { return each.first; });
  const auto where = at - map.begin();
  const std::string key(name.view());
  const std::string text(value.size == 0 ? std::string_view() : value.view());
  const bool there = at != map.end();
  std::erase_if(map, [&](const auto& each) { return each.first == key; });
  if (text.empty()) return true;
  map.insert(there ? map.begin() + std::min<std::ptrdiff_t>(where, std::ssize(map)) : map.end(),
             {key, text});
  return true;
}
EXTPROC_FAKE(bool, http_add_header)(void* f, Fields w, Bytes name, Bytes value) {
  if (value.size == 0) return false;
  Callbacks::map(f, w).emplace_back(name.view(), value.view());
  return true;
}
EXTPROC_FAKE(std::size_t, http_get_body_size)(void* f, Body w) {
  const auto* buffer = Callbacks::buffer(f, w);
  return buffer == nullptr ? 0 : buffer->size();
}
EXTPROC_FAKE(std::size_t, http_get_body_chunks_size)(void* f, Body w) {
  const auto* buffer = Callbacks::buffer(f, w);
  return buffer == nullptr || buffer->empty() ? 0 : 1;
}
EXTPROC_FAKE(bool, http_get_body_chunks)(void* f, Body w, Bytes* out) {
  const auto* buffer = Callbacks::buffer(f, w);
  if (buffer == nullptr) return false;
  if (!buffer->empty()) *out = {buffer->data(), buffer->size()};
  return true;
}
EXTPROC_FAKE(bool, http_append_body)(void* f, Body w, Bytes bytes) {
  auto* buffer = Callbacks::buffer(f, w);
  if (buffer == nullptr && (w == kReceivedRequest || w == kReceivedResponse)) return false;
  if (buffer == nullptr) {
    Callbacks::way(f, w).has_buffer = true;
    buffer = Callbacks::buffer(f, w);
  }
  buffer->append(bytes.view());
  return true;
}
EXTPROC_FAKE(bool, http_drain_body)(void* f, Body w, std::size_t bytes) {
  auto* buffer = Callbacks::buffer(f, w);
  if (buffer == nullptr) return false;
  // What views of it there are must not be read any more.
  std::memset(buffer->data(), '#', std::min(bytes, buffer->size()));
  buffer->erase(0, bytes);
  return true;
}
EXTPROC_FAKE(std::uint64_t, http_get_buffer_limit)(void* f) {
  return Callbacks::of(f).buffer_limit;
}
EXTPROC_FAKE(void, http_send_response)
(void* f, std::uint32_t status, const Field* headers, std::size_t count, Bytes body,
 Bytes details) {
  Callbacks::reply(f) = {.status = status,
                         .headers = Callbacks::copy(headers, count),
                         .body = std::string(body.view()),
                         .details = std::string(details.view())};
  Callbacks::end_reply(f);
}
EXTPROC_FAKE(void, http_send_response_headers)
(void* f, const Field* headers, std::size_t count, bool) {
  Callbacks::reply(f).headers = Callbacks::copy(headers, count);
}
EXTPROC_FAKE(void, http_send_response_data)(void* f, Bytes bytes, bool end) {
  Callbacks::reply(f).body += bytes.view();
  if (end) Callbacks::end_reply(f);
}
EXTPROC_FAKE(void, http_send_response_trailers)(void* f, const Field* trailers, std::size_t count) {
  Callbacks::reply(f).trailers = Callbacks::copy(trailers, count);
  Callbacks::end_reply(f);
}
EXTPROC_FAKE(void, http_filter_continue_decoding)(void* f) { Callbacks::go_on(f, 0); }
EXTPROC_FAKE(void, http_filter_continue_encoding)(void* f) { Callbacks::go_on(f, 1); }
EXTPROC_FAKE(void*, http_filter_scheduler_new)(void* f) { return Callbacks::new_scheduler(f); }
EXTPROC_FAKE(void, http_filter_scheduler_commit)(void* s, std::uint64_t event) {
  Callbacks::commit(s, event);
}
EXTPROC_FAKE(void, http_filter_scheduler_delete)(void* s) { Callbacks::delete_scheduler(s); }
EXTPROC_FAKE(void, http_clear_route_cache)(void*) {}
EXTPROC_FAKE(bool, http_filter_get_attribute_string)(void*, int, Bytes* out) {
  *out = bytes("192.0.2.1:1234");
  return true;
}
EXTPROC_FAKE(bool, http_filter_get_attribute_int)(void*, int, std::uint64_t*) { return false; }
EXTPROC_FAKE(bool, http_filter_get_attribute_bool)(void*, int, bool*) { return false; }
EXTPROC_FAKE(bool, http_set_dynamic_metadata_struct)(void* f, Bytes name, Bytes value) {
  Callbacks::of(f).set_metadata.emplace_back(name.view(), value.view());
  return true;
}
EXTPROC_FAKE(bool, http_set_dynamic_typed_metadata)(void* f, Bytes name, Bytes value) {
  Callbacks::of(f).set_metadata.emplace_back(name.view(), value.view());
  return true;
}
EXTPROC_FAKE(std::size_t, http_get_metadata_keys_count)(void* f, MetadataSource, Bytes name) {
  return Callbacks::metadata(f, name).size();
}
EXTPROC_FAKE(bool, http_get_metadata_keys)(void* f, MetadataSource, Bytes name, Bytes* out) {
  for (const auto& [key, value] : Callbacks::metadata(f, name)) *out++ = bytes(key);
  return true;
}
EXTPROC_FAKE(bool, http_get_metadata_string)
(void* f, MetadataSource, Bytes name, Bytes key, Bytes* out) {
  *out = bytes(Callbacks::metadata(f, name).at(std::string(key.view())));
  return true;
}
EXTPROC_FAKE(bool, http_get_metadata_number)(void*, MetadataSource, Bytes, Bytes, double*) {
  return false;
}
EXTPROC_FAKE(bool, http_get_metadata_bool)(void*, MetadataSource, Bytes, Bytes, bool*) {
  return false;
}
EXTPROC_FAKE(bool, http_get_typed_metadata)(void*, MetadataSource, Bytes, Bytes*, Bytes*) {
  return false;
}
EXTPROC_FAKE(bool, http_get_metadata_list_size)
(void*, MetadataSource, Bytes, Bytes, std::size_t*) { return false; }
EXTPROC_FAKE(bool, http_get_metadata_list_string)
(void*, MetadataSource, Bytes, Bytes, std::size_t, Bytes*) { return false; }
EXTPROC_FAKE(bool, http_get_metadata_list_number)
(void*, MetadataSource, Bytes, Bytes, std::size_t, double*) { return false; }
EXTPROC_FAKE(bool, http_get_metadata_list_bool)
(void*, MetadataSource, Bytes, Bytes, std::size_t, bool*) { return false; }
EXTPROC_FAKE(void*, http_get_active_span)(void* f) { return Callbacks::of(f).span.get(); }
EXTPROC_FAKE(void*, http_span_spawn_child)(void* f, void* parent, Bytes name) {
  auto& spans = Callbacks::of(f).spans;
  spans.push_back(std::make_shared<fake::Span>(
      fake::Span{.name = std::string(name.view()), .parent = static_cast<fake::Span*>(parent)}));
  return spans.back().get();
}
EXTPROC_FAKE(void, http_child_span_finish)(void* span) {
  static_cast<fake::Span*>(span)->finished = true;
}
EXTPROC_FAKE(void, http_span_set_tag)(void* span, Bytes name, Bytes value) {
  static_cast<fake::Span*>(span)->tags[std::string(name.view())] = value.view();
}
EXTPROC_FAKE(bool, http_span_get_trace_id)(void*, Bytes* out) {
  *out = bytes("0af7651916cd43dd8448eb211c80319c");
  return true;
}
EXTPROC_FAKE(bool, http_span_get_span_id)(void* span, Bytes* out) {
  *out = static_cast<fake::Span*>(span)->parent == nullptr ? bytes("b7ad6b7169203331")
                                                           : bytes("00f067aa0ba902b7");
  return true;
}
EXTPROC_FAKE(int, http_filter_config_define_counter)
(void*, Bytes name, Bytes*, std::size_t, std::size_t* id) { return Callbacks::define(name, id); }
EXTPROC_FAKE(int, http_filter_config_define_gauge)
(void*, Bytes name, Bytes*, std::size_t, std::size_t* id) { return Callbacks::define(name, id); }
EXTPROC_FAKE(int, http_filter_increment_counter)
(void* f, std::size_t id, Bytes*, std::size_t, std::uint64_t by) {
  return Callbacks::add(f, id, by);
}
EXTPROC_FAKE(int, http_filter_increment_gauge)
(void* f, std::size_t id, Bytes*, std::size_t, std::uint64_t by) {
  return Callbacks::add(f, id, by);
}
EXTPROC_FAKE(int, http_filter_decrement_gauge)
(void* f, std::size_t id, Bytes*, std::size_t, std::uint64_t by) {
  return Callbacks::add(f, id, -by);
}
#undef EXTPROC_FAKE
}
// NOLINTEND(readability-identifier-naming)

}  // namespace extproc::filter::abi
