#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/memory_account.h"
#include "extproc/limits.h"
#include "grpc/connection.h"
#include "grpc/deadline_wheel.h"
#include "http2/client_peer.h"
#include "items.h"
#include "measured.h"
#include "messages.h"
#include "processor_under_test.h"
#include "server/process_service.h"
#include "trace/stream_tracer.h"

namespace bench {
namespace {

namespace grpc = extproc::grpc;
using extproc::http2::testing::ClientPeer;

/// Counts as a worker's does; there are no others to add up with.
class Account final : public extproc::MemoryAccount {
 public:
  using MemoryAccount::MemoryAccount;

 private:
  bool on_change(std::ptrdiff_t) override { return false; }
};

class State {
 public:
  explicit State(const extproc::exchange::Watchers& watchers = {}) : processor_(watchers) {
    connection_ = std::make_unique<grpc::Connection>(limits_, services_, deadlines_, buffers_,
                                                     "127.0.0.1:1234", [] {});
    exchange(false);
  }

  /// As Envoy does: each message after the answer before it, then END_STREAM and RST_STREAM.
  void run() {
    const std::int32_t id =
        client_.open_call("/envoy.service.ext_proc.v3.ExternalProcessor/Process");
    client_.send_message(id, request_);
    exchange(true);
    client_.send_message(id, response_);
    exchange(true);
    client_.end(id);
    const std::string last = client_.take_output();
    if (!client_.stream(id).closed) client_.reset(id, NGHTTP2_NO_ERROR);
    deliver(last + client_.take_output(), true);
    const std::size_t answers = client_.stream(id).messages().size();
    if (answers != 2) throw std::runtime_error("the stream did not have two answers");
    client_.forget_closed();
  }

 private:
  void exchange(bool measured) { deliver(client_.take_output(), measured); }

  void deliver(const std::string& bytes, bool measured) {
    out_.clear();
    if (measured) {
      const Measured here;
      serve(bytes);
    } else {
      serve(bytes);
    }
    std::string answer;
    out_.copy_to(answer);
    client_.receive(answer);
  }

  void serve(const std::string& bytes) {
    connection_->receive(bytes, now_);
    connection_->take_output(out_, std::size_t{64} << 10);
  }

  std::string request_ = request_headers_message();
  std::string response_ = response_headers_message();
  ProcessorUnderTest processor_;
  extproc::Limits limits_;
  grpc::DeadlineWheel deadlines_;
  extproc::Counter held_;
  Account memory_{held_};
  grpc::BufferPool buffers_{&memory_};
  std::unique_ptr<extproc::server::ProcessService> service_ =
      std::make_unique<extproc::server::ProcessService>(processor_.host, deadlines_, memory_);
  std::vector<grpc::GrpcService*> services_{service_.get()};
  grpc::Clock::time_point now_{std::chrono::hours(100)};
  extproc::http2::Output out_;
  ClientPeer client_;
  std::unique_ptr<grpc::Connection> connection_;
};

}  // namespace

Item stream_through_http2() {
  return {"a stream through HTTP/2", [state = std::make_shared<State>()] { state->run(); }};
}

Item traced_stream(std::string name, double ratio) {
  struct Traced {
    explicit Traced(double its_ratio) : tracer(queue, settings(its_ratio), "Headers", 1) {}
    ~Traced() = default;
    static extproc::TraceSettings settings(double its_ratio) {
      extproc::TraceSettings made;
      made.sampler = extproc::TraceSampler::parentbased_traceidratio;
      made.ratio = its_ratio;
      return made;
    }

    // What is too much is dropped, as where nobody takes it.
    extproc::trace::SpanQueue queue{{std::size_t{64} << 10, 0, 512}, [] {}};
    extproc::trace::StreamTracer tracer;
    State state{{.tracer = &tracer}};
  };
  return {std::move(name), [traced = std::make_shared<Traced>(ratio)] { traced->state.run(); }};
}

Item stream_with_metrics() {
  const extproc::exchange::Watchers watchers{.metrics = true};
  return {"metrics on", [state = std::make_shared<State>(watchers)] { state->run(); }};
}

}  // namespace bench
