#include "exchange/body_session.h"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "base/access.h"
#include "exchange/processor_exchange.h"
#include "extproc/context.h"
#include "extproc/detail/event_loop.h"

namespace extproc::exchange {
namespace {

/// Chunks that a handler reads before other streams of its thread have their turn.
constexpr std::size_t kMostInARow = 256;

}  // namespace

BodySession::BodySession(ProcessorExchange& exchange, const detail::Dispatcher& dispatcher,
                         Phase phase, std::optional<BodySendMode> mode)
    : exchange_(exchange),
      dispatcher_(dispatcher),
      phase_(phase),
      mode_(mode),
      body_(detail::Access::body_stream(*this, phase)) {
  detail::Access::begin_beside(context_, exchange.context());
  reset_response();
}

// One message is all of the body.
bool BodySession::whole() const {
  return mode_ == BodySendMode::buffered || mode_ == BodySendMode::buffered_partial;
}

void BodySession::on_chunk(const HttpBody& chunk) {
  if (chunk.end_of_stream() || chunk.end_of_stream_without_message() || chunk.drain_complete()) {
    input_over_ = true;
    end_of_stream_ = chunk.end_of_stream() || chunk.end_of_stream_without_message();
    drain_complete_ = chunk.drain_complete();
  }
  if (whole()) input_over_ = true;
  if (abandoned_ || (started_ && !running_)) {
    exchange_.on_consumed(*this, chunk.bytes().size());
    pass(Chunk{std::string(chunk.bytes()), chunk.end_of_stream(), chunk.flags()});
    return;
  }
  // What only ends the body is no chunk to read.
  const bool nothing =
      chunk.bytes().empty() && full_duplex() &&
      (mode_ == BodySendMode::grpc ? chunk.end_of_stream_without_message() : input_over_);
  if (!nothing) take(chunk);
  if (!started_) {
    start_handler();
  } else {
    wake();
  }
}

void BodySession::take(const HttpBody& chunk) {
  unread_.push_back({std::string(chunk.bytes()), chunk.end_of_stream(), chunk.flags()});
  unread_bytes_ += unread_.back().weight();
}

void BodySession::on_input_end() {
  if (input_over_) return;
  input_over_ = true;
  wake();
}

void BodySession::start_handler() {
  started_ = running_ = true;
  start_ = exchange_.now();
  detail::Invocation invocation{.phase = phase_,
                                .context = &context_,
                                .request = &exchange_.request(),
                                .body_stream = &body_,
                                .completion = this};
  std::exception_ptr failure;
  try {
    if (dispatcher_.call(invocation) == detail::Step::pending) return;
  } catch (...) {
    failure = std::current_exception();
  }
  complete(failure);
}

void BodySession::complete(std::exception_ptr failure) noexcept {
  running_ = false;
  waiting_ = nullptr;
  exchange_.on_session_done(*this, failure);
}

bool BodySession::congested() const { return exchange_.congested(phase_); }

std::optional<std::chrono::steady_clock::time_point> BodySession::paced_until() const {
  return pacer_ != nullptr ? pacer_->writable_at(exchange_.now()) : std::nullopt;
}

void BodySession::wait_writable(std::coroutine_handle<> handler) {
  waiting_ = handler;
  waits_for_output_ = true;
  if (pacer_ != nullptr) exchange_.on_paced();
}

void BodySession::on_fallback(detail::Fallback fallback) {
  if (!abandoned_) exchange_.on_fallback(*this, std::move(fallback));
}

detail::TimeLeft BodySession::time_left() { return exchange_.time_left(*this); }

void BodySession::on_refused() noexcept { exchange_.on_refused(*this); }

void BodySession::on_outlasted(std::chrono::nanoseconds time) noexcept {
  exchange_.on_outlasted(phase_, time);
}

void BodySession::tell_waiting() { exchange_.on_waiting(*this); }

void BodySession::cancel() {
  cancelled_ = true;
  detail::Access::request_cancel(context_);
  if (waiting_) std::exchange(waiting_, nullptr).resume();
}

void BodySession::abandon() {
  abandoned_ = true;
  if (std::exchange(holds_headers_, false)) {
    // What the handler asked for was for them.
    reset_response();
    exchange_.release_headers(phase_);
    pass_read();
  }
  if (std::exchange(holds_chunk_, false) || (holds_streamed_ && !finished_)) pass(current_);
  pass_unread();
  if (full_duplex()) send_end();
  cancel();
}

void BodySession::wake() {
  if (!waiting_) return;
  if (waits_for_output_ ? !writable() : !ready()) return;
  waits_for_output_ = false;
  read_in_a_row_ = 0;
  std::exchange(waiting_, nullptr).resume();
}

void BodySession::yield() {
  turn_ = std::make_shared<int>();
  boost::asio::post(detail::Access::loop(context_)->executor, [this, alive = std::weak_ptr(turn_)] {
    if (alive.expired()) return;
    turn_.reset();
    read_in_a_row_ = 0;
    wake();
  });
}

// In STREAMED mode Envoy waits for the answer to each chunk. That of the last one waits for what
// the handler may still write.
void BodySession::next_wanted() {
  if (holds_headers_) return;
  if (holds_chunk_ && !full_duplex() && !whole() && !current_.end_of_stream) answer_current();
}

bool BodySession::ready() {
  if (cancelled_) return true;
  if (turn_ != nullptr || (unread_.empty() && !input_over_) || congested()) return false;
  if (read_in_a_row_ < kMostInARow) return true;
  yield();
  return false;
}

void BodySession::check_open() {
  if (!cancelled_) return;
  throw boost::system::system_error(
      boost::asio::error::make_error_code(boost::asio::error::operation_aborted));
}

std::optional<HttpBody> BodySession::next() {
  check_open();
  auto chunk = pop();
  if (!chunk) return std::nullopt;
  ++read_in_a_row_;
  if (holds_headers_) {
    keep_current();
  } else if (holds_chunk_) {
    // Where more than one message comes for what was to be one, each is answered all the same.
    answer_current();
  }
  current_ = std::move(*chunk);
  if (pacer_ != nullptr) pacer_->read(current_.bytes.size(), exchange_.now());
  holds_chunk_ = !full_duplex();
  holds_streamed_ = full_duplex();
  exchange_.on_consumed(*this, current_.bytes.size());
  return current_.view();
}

void BodySession::write(std::string_view bytes, bool compressed) {
  if (finished_ || cancelled_) return;
  if (pacer_ != nullptr) pacer_->wrote(bytes.size(), exchange_.now());
  if (holds_headers_ && !bytes.empty()) {
    // The response that it asked for takes the place of all that follows, too.
    if (response_.immediate_response()) return;
    decide_headers();
  }
  if (full_duplex()) {
    // An empty gRPC message is one; an empty chunk says nothing.
    if (bytes.empty() && mode_ != BodySendMode::grpc) return;
    holds_streamed_ = false;
    send_streamed({bytes, false, {.grpc_message_compressed = compressed}});
    return;
  }
  if (!holds_chunk_ && !whole() && unread_.empty() && input_over_) {
    if (!bytes.empty()) exchange_.on_written_too_late(phase_);
    return;
  }
  written_.append(bytes);
}

void BodySession::keep_current() {
  if (!holds_chunk_ && !holds_streamed_) return;
  read_bytes_ += current_.weight();
  read_.push_back(std::move(current_));
}

// What the handler asked for so far goes with the headers; a response in their place is for its
// return. What it has read is not sent on: in its place comes what it writes.
void BodySession::decide_headers() {
  holds_headers_ = false;
  exchange_.decide_headers(*this);
  clear_response();
  if (!full_duplex()) {
    for (const Chunk& chunk : read_) {
      if (!chunk.bytes.empty()) response_.clear_body();
      answer(chunk);
    }
  }
  read_.clear();
  read_bytes_ = 0;
}

void BodySession::pass_read() {
  for (const Chunk& chunk : read_) pass(chunk);
  read_.clear();
  read_bytes_ = 0;
}

void BodySession::answer_current() {
  holds_chunk_ = false;
  // What is unchanged is not sent back.
  if (written_ != current_.bytes) {
    written_.empty() ? response_.clear_body() : response_.replace_body(written_);
  }
  answer(current_);
  written_.clear();
}

// With what the handler asked for besides the body; an immediate response is for its return.
void BodySession::answer(const Chunk& chunk) {
  if (exchange_.answers()) exchange_.send_body_answer(phase_, chunk.view(), response_);
  clear_response();
}

// But for an immediate response.
void BodySession::clear_response() {
  auto immediate = response_.immediate_response();
  reset_response();
  if (immediate) response_.respond(std::move(*immediate));
}

void BodySession::reset_response() {
  detail::Access::reset(response_);
  detail::Access::listen_to_fallback(response_, this);
}

void BodySession::send_streamed(const HttpBody& body) {
  if (exchange_.answers()) exchange_.send_streamed_body(phase_, body, response_);
}

// Answers a chunk that the handler did not want.
void BodySession::pass(const Chunk& chunk) {
  if (!full_duplex()) {
    // What a handler that is late asked for was for another answer.
    if (abandoned_) reset_response();
    if (finished_ && !chunk.bytes.empty()) response_.clear_body();
    answer(chunk);
    return;
  }
  const bool ends = chunk.end_of_stream || chunk.flags.end_of_stream_without_message;
  const bool end = ends || chunk.flags.drain_complete;
  if (end_sent_ || (finished_ && !end)) return;
  end_sent_ = end;
  if (!finished_) return send_streamed(chunk.view());
  HttpBody::Flags flags = chunk.flags;
  flags.grpc_message_compressed = false;
  flags.end_of_stream_without_message = mode_ == BodySendMode::grpc && ends;
  send_streamed({{}, ends, flags});
}

void BodySession::pass_unread() {
  while (const auto chunk = pop()) {
    exchange_.on_consumed(*this, chunk->bytes.size());
    pass(*chunk);
  }
}

std::optional<BodySession::Chunk> BodySession::pop() {
  if (unread_.empty()) return std::nullopt;
  Chunk chunk = std::move(unread_.front());
  unread_.pop_front();
  unread_bytes_ -= chunk.weight();
  return chunk;
}

void BodySession::settle() {
  if (holds_headers_) decide_headers();
  // Written before anything was read: it goes before the first chunk.
  if (!full_duplex() && !holds_chunk_ && !written_.empty()) {
    if (auto chunk = pop()) {
      current_ = std::move(*chunk);
      if (!finished_) written_.append(current_.bytes);
      holds_chunk_ = true;
    }
  }
  if (holds_chunk_) answer_current();
  current_ = Chunk{};
  pass_unread();
  if (full_duplex()) send_end();
  // What was asked for behind the last answer has none to go with.
  if (exchange_.answers() &&
      (!response_.header_mutation().empty() || response_.is_route_cache_cleared() ||
       response_.extras_or_null() != nullptr))
    exchange_.on_written_too_late(phase_);
}

// The end is told once, when the input has ended that way; behind a body with trailers they are the
// end.
void BodySession::send_end() {
  if (end_sent_ || (!end_of_stream_ && !drain_complete_)) return;
  end_sent_ = true;
  send_streamed({{},
                 end_of_stream_,
                 {.end_of_stream_without_message = mode_ == BodySendMode::grpc && end_of_stream_,
                  .drain_complete = drain_complete_}});
}

}  // namespace extproc::exchange
