#include "filter/fake_envoy.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "filter/hook_declarations.h"

namespace extproc::fake {
namespace {

std::mutex log_mutex;
std::vector<std::string> log_lines;
std::atomic<int> scheduler_count{0};
std::atomic<int> wrong_thread_count{0};
std::atomic<bool> validates{false};

}  // namespace

std::vector<std::string> take_log() {
  const std::lock_guard lock(log_mutex);
  return std::exchange(log_lines, {});
}
int wrong_threads() { return wrong_thread_count; }
int schedulers() { return scheduler_count; }
void set_validates(bool value) { validates = value; }

void Worker::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(work));
  changed_.notify_all();
}

void Worker::run_posted() {
  std::deque<std::function<void()>> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(posted_);
  }
  for (auto& work : ready) work();
}

bool Worker::run_until(const std::function<bool()>& done, std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (!done()) {
    if (std::chrono::steady_clock::now() > until) return false;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(2), [this] { return !posted_.empty(); });
    }
    run_posted();
  }
  return true;
}

Config::Config(std::string_view config, std::string_view name)
    : module_(
          EXTPROC_HOOK_NAME(http_filter_config_new)(this, abi::bytes(name), abi::bytes(config))) {}

Config::~Config() {
  if (module_ != nullptr) EXTPROC_HOOK_NAME(http_filter_config_destroy)(module_);
}

Stream::Stream(Worker& worker, std::shared_ptr<Config> config, Headers request)
    : worker_(worker), config_(std::move(config)) {
  maps_[abi::kRequestHeaders] = std::move(request);
}

std::shared_ptr<Stream> Stream::make(Worker& worker, std::shared_ptr<Config> config,
                                     Headers request) {
  std::shared_ptr<Stream> stream(new Stream(worker, std::move(config), std::move(request)));
  stream->module_ = EXTPROC_HOOK_NAME(http_filter_new)(stream->config_->module(), stream.get());
  return stream;
}

Stream::~Stream() { destroy(); }

void Stream::destroy() {
  if (destroyed_) return;
  destroyed_ = true;
  EXTPROC_HOOK_NAME(http_filter_stream_complete)(this, module_);
  EXTPROC_HOOK_NAME(http_filter_destroy)(module_);
  module_ = nullptr;
}

std::string Stream::value(abi::Fields which, std::string_view name) const {
  std::string all;
  for (const auto& [key, value] : maps_[which]) {
    if (key == name) all += (all.empty() ? "" : ",") + value;
  }
  return all;
}

void Stream::response_headers(Headers headers_in, bool end) {
  maps_[abi::kResponseHeaders] = std::move(headers_in);
  headers(1, end);
}

void Stream::headers(int index, bool end) {
  if (destroyed_ || reply_) return;
  Way& way = way_[index];
  way.ended = end;
  const auto self = shared_from_this();
  const auto status = index == 0
                          ? EXTPROC_HOOK_NAME(http_filter_request_headers)(this, module_, end)
                          : EXTPROC_HOOK_NAME(http_filter_response_headers)(this, module_, end);
  if (destroyed_ || reply_) return;
  if (status == abi::OnHeaders::stop) {
    way.state = State::stopped;
    return;
  }
  way.headers_passed = way.passed.headers = true;
  pass(way, std::exchange(way.buffer, {}));
  way.passed.ended = end;
}

void Stream::pass(Way& way, std::string_view bytes) { way.passed.body += bytes; }

void Stream::body(int index, std::string_view bytes, bool end) {
  if (destroyed_ || reply_) return;
  Way& way = way_[index];
  way.ended = end;
  std::string chunk(bytes);
  // As Envoy does it, so that the whole is in one place.
  if (end && way.has_buffer) way.buffer += std::exchange(chunk, {});
  way.received = &chunk;
  const auto self = shared_from_this();
  const auto status = index == 0 ? EXTPROC_HOOK_NAME(http_filter_request_body)(this, module_, end)
                                 : EXTPROC_HOOK_NAME(http_filter_response_body)(this, module_, end);
  way.received = nullptr;
  if (destroyed_ || reply_) return;
  if (status == abi::OnBody::go_on) {
    way.state = State::going;
    way.headers_passed = way.passed.headers = true;
    pass(way, std::exchange(way.buffer, {}));
    pass(way, chunk);
    way.passed.ended = end;
    return;
  }
  way.state = State::stopped;
  if (status == abi::OnBody::stop_no_buffer) return;
  way.has_buffer = true;
  way.buffer += chunk;
  if (status == abi::OnBody::stop_and_buffer && way.buffer.size() > buffer_limit) {
    reply_ = Reply{.status = index == 0 ? 413U : 500U, .ended = true};
    destroy();
  }
}

void Stream::trailers_come(int index, Headers trailers) {
  if (destroyed_ || reply_) return;
  Way& way = way_[index];
  way.trailers = true;
  maps_[index == 0 ? abi::kRequestTrailers : abi::kResponseTrailers] = std::move(trailers);
  const auto self = shared_from_this();
  const auto status = index == 0 ? EXTPROC_HOOK_NAME(http_filter_request_trailers)(this, module_)
                                 : EXTPROC_HOOK_NAME(http_filter_response_trailers)(this, module_);
  if (destroyed_ || reply_) return;
  way.state = State::stopped;
  if (status == abi::OnTrailers::go_on) go_on(index);
}

void Stream::go_on(int index) {
  Way& way = way_[index];
  // One for each time that it was told to stop.
  if (way.state != State::stopped || destroyed_) return;
  way.state = State::going;
  way.headers_passed = way.passed.headers = true;
  pass(way, std::exchange(way.buffer, {}));
  way.passed.trailers = way.trailers;
  way.passed.ended = way.ended || way.trailers;
  if (destroy_within_continue_) destroy();
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
#undef EXTPROC_FAKE
}
// NOLINTEND(readability-identifier-naming)

}  // namespace extproc::filter::abi
