// Bytes as the messages of one ext_proc stream: through the codec, and through a stream whose
// processor touches everything. The first byte chooses the processor and what happens besides; each
// message stands behind its size.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "check.h"
#include "host/access.h"
#include "input.h"
#include "service_under_test.h"
#include "stream/process_stream.h"
#include "stream/reply_sink.h"
#include "testing/response_reader.h"
#include "wire/request_reader.h"

namespace extproc::fuzz {
namespace {

bool lies_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void read(std::string_view bytes) {
  wire::RequestMessage message;
  std::vector<Header> entries;
  if (!wire::read_request(bytes, message, entries)) return;
  check(lies_within(message.body, bytes), "a body is a view of the message");
  for (const auto& [name, value] : entries) {
    check(lies_within(name, bytes) && lies_within(value, bytes),
          "a header is a view of the message");
  }
}

/// The transport's end of the stream, which checks what it is told.
class Sink final : public stream::ReplySink, public detail::CallInfo {
 public:
  std::string& begin_message() override {
    check(!finished_, "nothing is sent after the end");
    answer_.clear();
    return answer_;
  }
  void end_message() override {
    const testing::ProcessingResponse answer = testing::read_response(answer_);
    if (answer.phase || answer.immediate_response) ++answers_;
    if (is_slow && ++written_ % 3 == 0) congested_ = true;
  }
  void finish(GrpcStatus, std::string_view) override {
    check(!finished_, "a stream ends once");
    finished_ = true;
  }
  bool congested() const override { return congested_; }
  void wake_at(std::optional<std::chrono::steady_clock::time_point> time) override {
    wakes_ = time.has_value();
  }
  void pause() override { paused_ = true; }
  void resume() override { paused_ = false; }
  void released() override { released_ = true; }

  std::string_view peer() const override { return "unix:"; }
  std::optional<std::chrono::steady_clock::time_point> deadline() const override { return {}; }
  std::size_t metadata_size() const override { return 0; }
  std::pair<std::string_view, std::string_view> metadata_at(std::size_t) const override {
    return {};
  }

  /// Now and then it takes no answers until drain().
  bool is_slow = false;
  bool drain() { return std::exchange(congested_, false); }
  /// The stream waits for a time.
  bool wakes() { return std::exchange(wakes_, false); }
  bool finished() const { return finished_; }
  bool paused() const { return paused_; }
  bool was_released() const { return released_; }
  std::size_t answers() const { return answers_; }

 private:
  std::string answer_;
  std::size_t answers_ = 0;
  std::size_t written_ = 0;
  bool congested_ = false;
  bool wakes_ = false;
  bool finished_ = false;
  bool paused_ = false;
  bool released_ = false;
};

std::chrono::steady_clock::time_point now_{};

/// What the first byte says.
struct Mode {
  explicit Mode(std::uint8_t bits)
      : style((bits & 4) != 0   ? Style::streaming
              : (bits & 1) != 0 ? Style::suspending
                                : Style::plain),
        leaves_early((bits & 2) != 0),
        is_slow((bits & 8) != 0),
        runs_late((bits & 16) != 0),
        overrides((bits & 32) != 0),
        half_closes((bits & 64) != 0) {}

  Style style;
  bool leaves_early;  // at the first pause
  bool is_slow;       // answers are not taken at times
  bool runs_late;     // time passes before suspended handlers run
  bool overrides;     // modes, by itself; and more time may be asked for
  bool half_closes;   // in the middle
};

/// Everything that may happen between two messages.
void go_on(const Mode& mode, ServiceUnderTest& service, stream::ProcessStream& stream, Sink& sink) {
  if (mode.runs_late) {
    now_ += std::chrono::milliseconds(110);
    if (sink.wakes()) stream.on_wake();
  }
  service.run_suspended();
  while (sink.drain()) {
    if (!sink.finished()) stream.on_writable();
    service.run_suspended();
  }
}

void run(Input input) {
  const Mode mode(input.byte());
  ServiceUnderTest service(mode.style);
  host::Settings& settings = detail::HostAccess::settings(service.host());
  now_ = {};
  settings.now = [] { return now_; };
  settings.automatic_mode_override = mode.overrides;
  if (mode.overrides) settings.filter.max_message_timeout = std::chrono::seconds(1);
  settings.unread_body_bytes = 64;
  settings.flow_controlled_bytes = 4096;
  Sink sink;
  sink.is_slow = mode.is_slow;
  stream::Streams streams{service.host()};
  stream::ProcessStream stream(streams, sink);
  stream.begin(sink);
  std::size_t sent = 0;
  while (!input.empty() && !sink.finished()) {
    // A copy of its own, so that the sanitizer sees a byte read too far.
    const std::string message(input.sized());
    read(message);
    stream.on_message(message);
    ++sent;
    if (mode.leaves_early && sink.paused()) break;
    if (mode.half_closes && sent == 3) break;
    for (int i = 0; i == 0 || (sink.paused() && !sink.finished() && i < 20); ++i)
      go_on(mode, service, stream, sink);
    // Otherwise a body may have any number.
    check(mode.style == Style::streaming || sink.answers() <= sent,
          "each message has one answer at most");
    if (sink.paused()) break;
  }
  if (!sink.finished() && !sink.paused()) {
    stream.on_half_close();
    go_on(mode, service, stream, sink);
  }
  const bool released = stream.on_closed(GrpcStatus::cancelled, !sink.finished());
  service.run_suspended();
  check(released != sink.was_released(), "a stream is released once");
}

}  // namespace
}  // namespace extproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  extproc::fuzz::run({data, size});
  return 0;
}
