// Stream: Envoy's hooks, and how it begins.
#include "filter/stream.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/what_was_thrown.h"
#include "filter/attributes.h"
#include "filter/envoy_log.h"
#include "filter/route_filter.h"
#include "host/access.h"

namespace extproc::filter {
Stream::Turn::Turn(Stream& stream) : stream_(stream) {
  take();
  ++stream_.turns_;
}

Stream::Turn::~Turn() {
  if (--stream_.turns_ > 0 || !stream_.destroyed_) return;
  // Who only looks on may do so for longer.
  if (stream_.observes() && stream_.looks_on_still()) return;
  stream_.close();
  if (!stream_.released_) return;
  // What its worker is part of must outlive the lock.
  const auto filter = stream_.in_force_;
  if (loop_ != nullptr) loop_->forget(stream_);
  delete &stream_;
  if (lock_.owns_lock()) lock_.unlock();
}

void Stream::Turn::take() {
  if (loop_ != nullptr || stream_.worker_ == nullptr) return;
  loop_ = stream_.worker_->loop();
  if (loop_ != nullptr) lock_ = loop_->turn();
}

Stream::Stream(std::shared_ptr<Filter> filter, void* envoy)
    : filter_(std::move(filter)), envoy_(envoy) {}

// With the first hook, since Envoy knows of no route before. False where no processor is asked.
bool Stream::begin(Turn& turn) {
  if (begun_) return !off_;
  begun_ = true;
  const auto* route = static_cast<const RouteFilter*>(
      EXTPROC_ENVOY_CALL(get_most_specific_route_config)(envoy_.filter()));
  off_ = route != nullptr && route->disabled;
  if (off_) return false;
  in_force_ = route != nullptr ? route->filter : filter_;
  worker_ = &in_force_->worker(envoy_.filter());
  turn.take();
  follow_envoy_level(in_force_->logger());
  request_.sent = in_force_->modes().request;
  response_.sent = in_force_->modes().response;
  if (worker_->loop() != nullptr) {
    worker_->loop()->add(waiting_.emplace(envoy_.filter()).member);
    peer_ = source_address(envoy_.filter());
    find_neighbours();
  }
  exchange_ = worker_->host().make_exchange(*this, *this);
  released_ = false;
  if (waiting_) Background::instance().begin_use();
  worker_->tracer().expect(envoy_.filter());
  exchange_->begin(*this);
  if (!in_force_->ready()) {
    end_ = in_force_->config().failure_mode_allow ? End::passes : End::fails;
    if (end_ == End::fails)
      reply_ = ImmediateResponse{.status = 503, .details = "extproc_not_ready"};
  }
  return true;
}

// Where handlers wait it was read when the request began: those ask on any thread, also behind
// Envoy.
std::string_view Stream::peer() const {
  if (peer_.empty() && worker_->loop() == nullptr && (!destroyed_ || turns_ == 1))
    peer_ = source_address(envoy_.filter());
  return peer_;
}

abi::OnHeaders Stream::on_headers(Turn& turn, Phase phase, bool end) {
  if (!begin(turn)) return abi::OnHeaders::go_on;
  Way& way = this->way(phase);
  way.headers_came = true;
  way.ended = way.headers_end = end;
  tell(way);
  if (!do_asked()) return abi::OnHeaders::stop;
  act_on_other(way);
  if (waits(way)) {
    way.stopped = true;
    return abi::OnHeaders::stop;
  }
  if (waiting_) mark(way);
  let_out(way);
  return abi::OnHeaders::go_on;
}

// Where handlers wait, another thread may be in the middle of something of this worker's.
bool Stream::leaves_body(Phase phase, bool end) {
  if (off_) return true;
  Way& way = this->way(phase);
  if (!way.headers_told || way.sent.body != BodySendMode::none || way.owes() || way.replaced ||
      way.stopped || !way.out.empty() || replied_ || waiting_)
    return false;
  way.body_came = true;
  way.ended = end;
  return true;
}

abi::OnBody Stream::on_body(Turn& turn, Phase phase, bool end) {
  if (!begin(turn)) return abi::OnBody::go_on;
  Way& way = this->way(phase);
  const bool was_taken = !end && go_ahead(way);
  if (destroyed_) return abi::OnBody::stop_no_buffer;
  way.body_came = true;
  way.ended = end;
  way.in_body_hook = !was_taken;
  find_body(way);
  tell(way);
  const bool goes = do_asked();
  if (goes) act_on_other(way);
  abi::OnBody status = abi::OnBody::go_on;
  if (!goes) {
    status = abi::OnBody::stop_no_buffer;
  } else if (waits(way)) {
    way.stopped = true;
    take_untold(way);
    // Over its limit Envoy then answers in place of the upstream, as with ext_proc.
    const bool whole = way.sent.body == BodySendMode::buffered && !way.whole_told && !is_over();
    status = whole ? abi::OnBody::stop_and_buffer : abi::OnBody::stop_and_watermark;
    // It would stop reading at its limit, before the end that is awaited.
    if (way.replaced) drop_body(way);
    way.left = envoy_.body_bytes(way.body, way.place);
    if (!whole) way.is_full = way.headers_owed && is_over_limit(way);
  } else if (goes_on_later(way, was_taken)) {
    // Its end, where this is that, Envoy remembers.
    add_out(way, envoy_.read_body(way.body, way.place, text_));
    drop_body(way);
    status = abi::OnBody::stop_and_watermark;
  } else {
    let_out(way);
    way.goes();
  }
  end_body_hook(way);
  return status;
}

void Stream::end_body_hook(Way& way) {
  way.in_body_hook = way.passes_chunk = way.place.received = false;
}

abi::OnTrailers Stream::on_trailers(Turn& turn, Phase phase) {
  if (!begin(turn)) return abi::OnTrailers::go_on;
  Way& way = this->way(phase);
  way.trailers_came = true;
  if (way.body_came) find_body(way);
  tell(way);
  if (!do_asked()) return abi::OnTrailers::stop;
  act_on_other(way);
  if (waits(way)) {
    way.stopped = true;
    return abi::OnTrailers::stop;
  }
  if (goes_on_later(way, false)) return abi::OnTrailers::stop;
  let_out(way);
  way.goes();
  return abi::OnTrailers::go_on;
}

// A hook that returns where it was stopped before, or that was called with what Envoy keeps and has
// let that go, has Envoy let go on all that it keeps: see continue_message().
bool Stream::goes_on_later(Way& way, bool was_taken) {
  if (!was_taken &&
      (!way.stopped || worker_->loop() == nullptr || !is_request(way) || way.place.gone == 0))
    return false;
  way.stopped = true;
  touch_later();
  return true;
}

void Stream::on_scheduled() {
  if (worker_ != nullptr && worker_->loop() != nullptr) worker_->loop()->run();
}

void Stream::on_destroy() {
  // Within another hook the exchange hears of it when Envoy is not to be asked any more.
  if (turns_ > 1 && worker_ != nullptr) static_cast<void>(peer());
  destroyed_ = true;
  if (waiting_) {
    worker_->loop()->remove(waiting_->member);
    if (waiting_->neighbours != nullptr) waiting_->neighbours->leave(*this);
    waiting_.reset();
  }
  // Within a hook that still runs the exchange hears of it behind that; here while Envoy is there.
  if (turns_ == 1 && !(observes() && looks_on_still())) close();
  if (worker_ == nullptr) return;
  worker_->tracer().leave(envoy_.filter());
  if (!released_) {
    outlives_ = true;
    ++worker_->outlived().streams_open;
    worker_->outlived().memory_bytes += static_cast<std::uint64_t>(kept_);
  }
  filter_->statistics().tell(envoy_.filter(), worker_->counters(), worker_->outlived(),
                             worker_->told());
}

void Stream::resume() {
  paused_ = false;
  touch();
}

bool Stream::at_work() const {
  return exchange_ != nullptr && !closed_ &&
         !detail::HostAccess::look_at(*exchange_).reads_nothing();
}

void Stream::wake_at(std::optional<host::Clock::time_point> time) {
  awaits_time_ = time.has_value();
  if (!time) {
    if (timer_ != nullptr) timer_->cancel();
    return;
  }
  if (timer_ == nullptr) {
    timer_ = std::make_unique<boost::asio::steady_timer>(
        boost::asio::any_io_executor(WorkerExecutor(worker_->loop())));
    if (alive_ == nullptr) alive_ = std::make_shared<Stream*>(this);
  }
  timer_->expires_at(*time);
  timer_->async_wait([alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
    const auto stream = alive.lock();
    if (error || stream == nullptr) return;
    const Turn turn(**stream);
    (*stream)->awaits_time_ = false;
    (*stream)->exchange_->on_wake();
    (*stream)->touch();
  });
}

void Stream::kept(std::ptrdiff_t bytes) {
  kept_ += bytes;
  worker_->counters().memory_bytes.add(static_cast<std::uint64_t>(bytes));
  if (outlives_) worker_->outlived().memory_bytes += static_cast<std::uint64_t>(bytes);
  if (in_force_->keep(bytes) || over_limit_ || closed_) return;
  over_limit_ = true;
  touch();
}

void Stream::completed(const host::Completed& /*how*/) {}

void Stream::touch() {
  if (!closed_ && worker_->loop() != nullptr) worker_->loop()->touch(*this);
}

// Behind what was done of it outside of a hook.
void Stream::act() noexcept {
  if (closed_) return;
  const Turn turn(*this);
  try {
    // What this does with what Envoy keeps it does with its own.
    const std::string request = hide_left_before(request_);
    const std::string response = hide_left_before(response_);
    act_in_turn();
    if (destroyed_) return;
    envoy_.append_body(request_.body, {}, request);
    envoy_.append_body(response_.body, {}, response);
  } catch (...) {
    on_failure(what_was_thrown());
  }
}

void Stream::fail(std::string_view what) noexcept {
  if (closed_) return;
  const Turn turn(*this);
  on_failure(what);
}

void Stream::act_in_turn() {
  tell_observed();
  if (!do_asked()) return;
  // One handler runs at a time: those of the other direction are not to wait until nothing more
  // comes in this one.
  const bool other_first = told_last_ == &request_;
  for (Way* way : {other_first ? &response_ : &request_, other_first ? &request_ : &response_}) {
    if (way->body_came) find_body(*way);
    tell(*way);
    if (!do_asked()) return;
  }
  for (Way* way : {&request_, &response_}) {
    if (!destroyed_ && way->stopped && !waits(*way)) go_on(*way);
  }
  do_asked();
}

// Behind the hook that runs.
void Stream::touch_later() {
  if (alive_ == nullptr) alive_ = std::make_shared<Stream*>(this);
  boost::asio::post(WorkerExecutor(worker_->loop()), [alive = std::weak_ptr(alive_)] {
    if (const auto stream = alive.lock()) (*stream)->touch();
  });
}

// A handler that has returned may have let go what stands still in the other direction; Envoy is
// told behind this hook, and not within it.
void Stream::act_on_other(const Way& way) {
  const Way& other = is_request(way) ? response_ : request_;
  if (!other.stopped || paused_ || worker_->loop() == nullptr) return;
  touch_later();
}

}  // namespace extproc::filter
