#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "extproc/context.h"
#include "items.h"
#include "measured.h"
#include "messages.h"
#include "processor_under_test.h"
#include "stream/process_stream.h"
#include "stream/reply_sink.h"

namespace bench {
namespace {

/// Takes the answers and forgets them.
class Sink final : public extproc::stream::ReplySink, public extproc::detail::CallInfo {
 public:
  std::string& begin_message() override {
    answer_.clear();
    return answer_;
  }
  void end_message() override { ++answers; }
  void finish(extproc::GrpcStatus, std::string_view) override {}
  void pause() override {}
  void resume() override {}
  void released() override {}
  bool congested() const { return false; }
  void wake_at(std::optional<std::chrono::steady_clock::time_point>) {}

  std::string_view peer() const override { return "127.0.0.1:1234"; }
  std::optional<std::chrono::steady_clock::time_point> deadline() const override { return {}; }
  std::size_t metadata_size() const override { return 0; }
  std::pair<std::string_view, std::string_view> metadata_at(std::size_t) const override {
    return {};
  }

  std::size_t answers = 0;

 private:
  std::string answer_;
};

struct State {
  void run() {
    sink.answers = 0;
    {
      const Measured measured;
      stream.begin(sink);
      stream.on_message(request);
      stream.on_message(response);
      stream.on_closed(extproc::GrpcStatus::cancelled, true);
    }
    if (sink.answers != 2) throw std::runtime_error("the stream did not have two answers");
  }

  std::string request = request_headers_message();
  std::string response = response_headers_message();
  ProcessorUnderTest processor;
  Sink sink;
  extproc::stream::Streams streams{processor.host};
  extproc::stream::ProcessStream stream{streams, sink};
};

}  // namespace

Item stream_without_http2() {
  return {"a stream without HTTP/2", [state = std::make_shared<State>()] { state->run(); }};
}

}  // namespace bench
