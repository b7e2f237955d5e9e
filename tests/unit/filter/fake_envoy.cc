#include "filter/fake_envoy.h"

#include "envoy/kit/inside/hooks.h"

namespace extproc::fake {

bool Worker::run_until(const std::function<bool()>& done, std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (!done()) {
    if (std::chrono::steady_clock::now() > until) return false;
    run_posted(std::chrono::milliseconds(2));
  }
  return true;
}

Config::Config(std::string_view config, std::string_view name)
    : module_(EXTPROC_HOOK_NAME(http_filter_config_new)(&statistics_, abi::bytes(name),
                                                        abi::bytes(config))) {}

Config::~Config() {
  if (module_ != nullptr) EXTPROC_HOOK_NAME(http_filter_config_destroy)(module_);
}

Stream::Stream(Worker& worker, std::shared_ptr<Config> config, Headers request, Around around)
    : config_(std::move(config)),
      around_(std::move(around)),
      request_headers_(std::move(request)),
      request_(Side::request, filter_, *this, around_.buffer_limit),
      response_(Side::response, filter_, *this, around_.buffer_limit),
      filter_({.config = config_->module(),
               .route = around_.route,
               .worker = worker,
               .statistics = config_->statistics(),
               .buffer_limit = around_.buffer_limit,
               .peer = "192.0.2.1:1234"},
              *this) {}

std::shared_ptr<Stream> Stream::make(Worker& worker, std::shared_ptr<Config> config,
                                     Headers request, Around around) {
  return std::shared_ptr<Stream>(
      new Stream(worker, std::move(config), std::move(request), std::move(around)));
}

Stream::~Stream() { destroy(); }

std::string Stream::value(abi::Fields which, std::string_view name) {
  std::string all;
  const auto* const map = filter_.fields(which);
  if (map == nullptr) return all;
  for (const auto& [key, value] : map->entries()) {
    if (key == name) all += (all.empty() ? "" : ",") + value;
  }
  return all;
}

template <class Arrive>
void Stream::arrive(Arrive arrive) {
  if (is_over()) return;
  const auto self = shared_from_this();
  arrive();
}

void Stream::request_headers(bool end) {
  arrive([&] {
    request_.arrive_headers(kit::HeaderMap(kit::HeaderKind::request, request_headers_), end);
  });
}

void Stream::response_headers(const Headers& headers, bool end) {
  arrive(
      [&] { response_.arrive_headers(kit::HeaderMap(kit::HeaderKind::response, headers), end); });
}

void Stream::body(Side side, std::string_view bytes, bool end) {
  arrive([&] { own_pipe(side).arrive_data(std::string(bytes), end); });
}

void Stream::request_trailers(const Headers& trailers) {
  arrive([&] {
    request_.arrive_trailers(kit::HeaderMap(kit::HeaderKind::request_trailers, trailers));
  });
}

void Stream::response_trailers(const Headers& trailers) {
  arrive([&] {
    response_.arrive_trailers(kit::HeaderMap(kit::HeaderKind::response_trailers, trailers));
  });
}

void Stream::reply(const kit::LocalReply& reply) {
  kit::HeaderMap headers(kit::HeaderKind::response, {});
  if (reply.mutate) reply.mutate(headers);
  reply_ = {.status = reply.status,
            .headers = headers.entries(),
            .body = reply.body,
            .details = reply.details};
  end_reply();
}

void Stream::local_headers(kit::HeaderMap headers, bool /*end*/) {
  reply_.emplace().headers = headers.entries();
}

void Stream::local_data(std::string data, bool end) {
  reply_->body += data;
  if (end) end_reply();
}

void Stream::local_trailers(kit::HeaderMap trailers) {
  reply_->trailers = trailers.entries();
  end_reply();
}

void Stream::end_reply() {
  reply_->ended = true;
  if (destroy_within_reply_) destroy();
}

void Stream::too_large(Side side) {
  reply_ = Reply{.status = side == Side::request ? 413 : 500, .ended = true};
  destroy();
}

void Stream::send_headers(Side side, const kit::HeaderMap& /*headers*/, bool end) {
  passed(side).headers = true;
  passed(side).ended = end;
  sent();
}

void Stream::send_data(Side side, const std::string& data, bool end) {
  passed(side).body += data;
  passed(side).ended = end;
  sent();
}

void Stream::send_trailers(Side side, const kit::HeaderMap& /*trailers*/) {
  passed(side).trailers = passed(side).ended = true;
  sent();
}

void Stream::sent() {
  if (destroy_within_continue_) destroy();
}

}  // namespace extproc::fake
