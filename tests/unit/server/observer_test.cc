// What an Observer hears through a whole server.

#include "extproc/observer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "extproc/context.h"
#include "extproc/request.h"
#include "server/server_fixture.h"
#include "server/socket_client.h"

namespace extproc::server::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Recorder final : public Observer {
 public:
  void stream_begin(std::string_view processor, const Request&) override {
    note("begin " + std::string(processor));
  }
  void stream_end(std::string_view, const Request&, GrpcStatus status, bool cancelled,
                  std::chrono::nanoseconds) override {
    note("end " + std::string(to_string(status)) + (cancelled ? " cancelled" : ""));
  }
  void phase_begin(std::string_view, const Request&, Phase phase) override {
    note("> " + std::string(to_string(phase)));
  }
  void phase_end(std::string_view, const Request&, Phase phase, PhaseOutcome outcome,
                 std::chrono::nanoseconds) override {
    note("< " + std::string(to_string(phase)) + " " + std::string(to_string(outcome)));
  }

  std::vector<std::string> notes() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }

 private:
  void note(std::string text) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(text));
  }

  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

/// Of calls in all forms, as `form` says.
class Counting : public Observer {
 public:
  std::vector<std::string> notes() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }

 protected:
  void note(std::string text) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(text));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

/// Knows the Context alone.
class WithContext : public Counting {
 public:
  void stream_begin(std::string_view, const Context& context, const Request&) override {
    told("begin", context);
  }
  void stream_end(std::string_view, const Context& context, const Request&, GrpcStatus, bool,
                  std::chrono::nanoseconds) override {
    told("end", context);
  }
  void phase_begin(std::string_view, const Context& context, const Request&, Phase) override {
    told(">", context);
  }
  void phase_end(std::string_view, const Context& context, const Request&, Phase, PhaseOutcome,
                 std::chrono::nanoseconds) override {
    told("<", context);
  }

 private:
  void told(const std::string& what, const Context& context) {
    note(what + (context.peer().starts_with("127.0.0.1:") ? " of a peer" : " of nobody"));
  }
};

/// Knows both forms.
class WithBoth final : public WithContext {
 public:
  void stream_begin(std::string_view, const Request&) override { note("without"); }
  void stream_end(std::string_view, const Request&, GrpcStatus, bool,
                  std::chrono::nanoseconds) override {
    note("without");
  }
  void phase_begin(std::string_view, const Request&, Phase) override { note("without"); }
  void phase_end(std::string_view, const Request&, Phase, PhaseOutcome,
                 std::chrono::nanoseconds) override {
    note("without");
  }

  using WithContext::phase_begin;
  using WithContext::phase_end;
  using WithContext::stream_begin;
  using WithContext::stream_end;
};

class ObserverTest : public ServerTest {
 protected:
  ObserverTest() { settings.observer = &recorder; }
  ~ObserverTest() override { server_.reset(); }

  Recorder recorder;
};

TEST_F(ObserverTest, HearsOfPhasesAndOfEnvoysNormalEnd) {
  start();
  SocketClient client = connect();
  const auto id = client.call(kProcess, kRequestHeaders);
  client.peer.reset(id);
  client.send_only();
  EXPECT_TRUE(eventually([&] { return recorder.notes().size() == 4; }));
  EXPECT_THAT(recorder.notes(),
              ElementsAre("begin BaseExtProcService", "> request_headers",
                          "< request_headers answered", "end CANCELLED cancelled"));
}

TEST_F(ObserverTest, IsOneOfSeveralAndHearsOfEachThingOnce) {
  WithContext with_context;
  WithBoth with_both;
  settings.observers = {&with_context, nullptr, &with_both};
  start();
  SocketClient client = connect();
  const auto id = client.call(kProcess, kRequestHeaders);
  client.peer.reset(id);
  client.send_only();
  EXPECT_TRUE(eventually([&] { return with_both.notes().size() == 4; }));
  EXPECT_EQ(recorder.notes().size(), 4U);
  for (const Counting* each : {&with_context, static_cast<WithContext*>(&with_both)}) {
    EXPECT_THAT(each->notes(),
                ElementsAre("begin of a peer", "> of a peer", "< of a peer", "end of a peer"));
  }
  server_.reset();
}

TEST_F(ObserverTest, IsTimedAlsoWhereOthersAloneAreGiven) {
  class Times final : public Observer {
   public:
    void stream_end(std::string_view, const Context&, const Request&, GrpcStatus, bool,
                    std::chrono::nanoseconds duration) override {
      longest = std::max(longest.load(), duration);
      ++ends;
    }
    std::atomic<std::chrono::nanoseconds> longest{std::chrono::nanoseconds(0)};
    std::atomic<int> ends{0};
  } times;
  settings.observer = nullptr;
  settings.observers = {&times};
  start();
  SocketClient client = connect();
  client.peer.reset(client.call(kProcess, kRequestHeaders));
  client.send_only();
  EXPECT_TRUE(eventually([&] { return times.ends == 1; }));
  EXPECT_GT(times.longest.load().count(), 0);
  server_.reset();
}

TEST_F(ObserverTest, HearsWhatTheTransportRefused) {
  settings.limits.message_bytes = 1000;
  start();
  SocketClient client = connect();
  const struct {
    std::string frame;
    const char* end;
  } cases[] = {{std::string("\x02\0\0\0\0", 5), "end INTERNAL"},
               {std::string("\0\0\0\xff\xff", 5), "end RESOURCE_EXHAUSTED"}};
  for (const auto& [frame, end] : cases) {
    const auto id = client.peer.open_call(kProcess);
    client.peer.send(id, frame);
    EXPECT_TRUE(client.talk_until([&] { return client.stream(id).closed; }));
    EXPECT_EQ(recorder.notes().back(), end);
  }
  EXPECT_EQ(server_->stats().streams_over_limit, 1U);
  EXPECT_THAT(log(), Contains(AllOf(HasSubstr("a stream of 127.0.0.1:"),
                                    HasSubstr("is ended over a limit"))));
}

TEST_F(ObserverTest, HearsNothingOfHealthChecks) {
  start();
  connected();
  EXPECT_TRUE(recorder.notes().empty());
}

}  // namespace
}  // namespace extproc::server::testing
