// Bytes as the messages of one ext_proc stream: through the codec, and through a stream whose
// processor touches everything. The first byte chooses the processor; each message stands behind
// its size.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
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
    testing::read_response(answer_);
    ++answers_;
  }
  void finish(GrpcStatus, std::string_view) override {
    check(!finished_, "a stream ends once");
    finished_ = true;
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

  bool finished() const { return finished_; }
  bool paused() const { return paused_; }
  bool was_released() const { return released_; }
  std::size_t answers() const { return answers_; }

 private:
  std::string answer_;
  std::size_t answers_ = 0;
  bool finished_ = false;
  bool paused_ = false;
  bool released_ = false;
};

void run(Input input) {
  const std::uint8_t mode = input.byte();
  ServiceUnderTest service((mode & 1) != 0);
  const bool leaves_early = (mode & 2) != 0;
  Sink sink;
  stream::ProcessStream stream(service.environment(), sink);
  stream.begin(sink);
  std::size_t sent = 0;
  while (!input.empty() && !sink.finished()) {
    // A copy of its own, so that the sanitizer sees a byte read too far.
    const std::string message(input.sized());
    read(message);
    stream.on_message(message);
    ++sent;
    if (leaves_early && sink.paused()) break;
    service.run_suspended();
    check(sink.answers() <= sent, "each message has one answer at most");
  }
  if (!sink.finished() && !sink.paused()) stream.on_half_close();
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
