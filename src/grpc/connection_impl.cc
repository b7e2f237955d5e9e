#include "grpc/connection_impl.h"

#include <optional>
#include <utility>

#include "grpc/response_headers.h"

namespace extproc::grpc {
namespace {

class Busy {
 public:
  explicit Busy(bool& flag) : flag_(flag), before_(std::exchange(flag, true)) {}
  ~Busy() { flag_ = before_; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  bool& flag_;
  bool before_;
};

}  // namespace

Connection::Impl::Impl(const Limits& the_limits, std::span<GrpcService* const> services,
                       DeadlineWheel& the_deadlines, BufferPool& the_buffers, std::string the_peer,
                       std::function<void()> on_output)
    : CallHost(the_limits, the_deadlines, the_buffers, std::move(the_peer)),
      services_(services),
      on_output_(std::move(on_output)),
      owed_resets_(the_limits.owed_resets_per_second, the_limits.owed_resets_burst),
      metadata_(the_limits.header_list_bytes),
      session_(the_limits, *this) {}

Connection::Impl::~Impl() {
  // Handlers may still write to other calls of the connection when they hear of its end.
  const Busy busy(in_event);
  for_all_calls([](ServerCall& call) { call.lose(); });
  open_.clear_and_dispose([this](ServerCall* call) { pool_.destroy(*call); });
  buffers.count(-static_cast<std::ptrdiff_t>(told_));
}

bool Connection::Impl::receive(std::string_view bytes, Clock::time_point at) {
  const Busy busy(in_event);
  now = at;
  turn_spent = 0;
  return session_.receive(bytes, at);
}

void Connection::Impl::tell_held() {
  untold_ = 0;
  const std::size_t bytes = held_bytes();
  if (bytes == told_) return;
  buffers.count(static_cast<std::ptrdiff_t>(bytes) - static_cast<std::ptrdiff_t>(told_));
  told_ = bytes;
}

void Connection::Impl::take_output(http2::Output& out, std::size_t max) {
  const Busy busy(in_event);
  output_told_ = false;
  turn_spent = 0;
  if (!next_turn_.empty()) ready_.splice(ready_.end(), next_turn_);
  const std::size_t end = out.size() + max;
  while (out.size() < end) {
    session_.take_output(out, end - out.size());
    if (out.size() >= end || ready_.empty()) break;
    deliver_ready();
  }
  if (!next_turn_.empty()) ask_for_turn();
  // Few calls that come and go are not worth it.
  if (held_bytes() + kLeastTold - told_ > 2 * kLeastTold) tell_held();
}

void Connection::Impl::give_back() {
  if (session_.open_streams() > 0) return;
  session_.give_back();
  tell_held();
  metadata_.forget();
  pool_.give_back();
}

void Connection::Impl::end_all(GrpcStatus status, std::string_view message) {
  for_all_calls([&](ServerCall& call) { call.terminate(CloseReason::shutdown, status, message); });
  session_.finish_shutdown();
  output_ready();
}

void Connection::Impl::visit_calls(const CallVisitor& visit) const {
  for (const List* list : {&open_, &ready_, &next_turn_}) {
    for (const ServerCall& call : *list) {
      if (call.handler() != nullptr && !visit(call, *call.handler())) return;
    }
  }
}

// A handler that hears of the end of its call may cause others to move between the lists, never to
// be destroyed.
template <class Action>
void Connection::Impl::for_all_calls(const Action& action) {
  open_.splice(open_.end(), ready_);
  open_.splice(open_.end(), next_turn_);
  List done;
  while (!open_.empty()) {
    ServerCall& call = open_.front();
    done.splice(done.end(), open_, open_.begin());
    action(call);
  }
  open_.splice(open_.end(), done);
}

void Connection::Impl::begin_call(Metadata metadata) {
  const CallHead& head = metadata_.head();
  if (refuse(head)) return;
  std::optional<Clock::time_point> deadline;
  if (head.timeout) deadline = now + *head.timeout;
  ServerCall& call = pool_.make(*this);
  open_.push_back(call);
  session_.accept(call);
  call.start(std::move(metadata), deadline, head.path, services_);
}

/// Answers what is no call to be started. False when it is one.
bool Connection::Impl::refuse(const CallHead& head) {
  using Verdict = CallHead::Verdict;
  using Form = StatusHeaders::Form;
  const auto end = [&](GrpcStatus status, std::string_view message,
                       Form form = Form::trailers_only) {
    session_.refuse(StatusHeaders(form, status, message).get());
  };
  switch (head.verdict) {
    case Verdict::accepted:
      if (!head.timeout || head.timeout->count() > 0) return false;
      end(GrpcStatus::deadline_exceeded, "grpc-timeout was 0");
      break;
    case Verdict::wrong_method:
      session_.refuse(method_not_allowed());
      break;
    case Verdict::wrong_content_type:
      session_.refuse(unsupported_media_type());
      break;
    case Verdict::wrong_encoding:
      end(GrpcStatus::unimplemented, "grpc-encoding must be identity",
          Form::trailers_only_encoding);
      break;
    case Verdict::wrong_timeout:
      end(GrpcStatus::internal, "grpc-timeout is malformed");
      break;
    case Verdict::too_large:
      end(GrpcStatus::resource_exhausted, "the headers are over the limit of " +
                                              std::to_string(limits.header_list_bytes) + " bytes");
      break;
  }
  return true;
}

void Connection::Impl::output_ready() {
  if (in_event || output_told_ || !session_.wants_write()) return;
  output_told_ = true;
  on_output_();
}

void Connection::Impl::deliver_next_turn(ServerCall& call) {
  call.CallHost::Hook::unlink();
  next_turn_.push_back(call);
  // The owner takes output anyway, behind which there is a next turn.
  if (!in_event) ask_for_turn();
}

void Connection::Impl::ask_for_turn() {
  if (std::exchange(output_told_, true)) return;
  on_output_();
}

void Connection::Impl::deliver_later(ServerCall& call) {
  call.CallHost::Hook::unlink();
  ready_.push_back(call);
}

void Connection::Impl::deliver_ready() {
  while (!ready_.empty() && !turn_over()) {
    ServerCall& call = ready_.front();
    open_.splice(open_.end(), ready_, ready_.begin());
    call.deliver();
  }
  // They go before those that have had a turn.
  next_turn_.splice(next_turn_.begin(), ready_);
}

void Connection::Impl::count_owed_reset() {
  if (!owed_resets_.take(now))
    session_.terminate(http2::ErrorCode::enhance_your_calm,
                       "too many streams were reset before their answer");
}

}  // namespace extproc::grpc
