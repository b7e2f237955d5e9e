#include "filter/fake_envoy.h"

#include <chrono>

#include "filter/hook_declarations.h"

namespace extproc::fake {
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

}  // namespace extproc::fake
