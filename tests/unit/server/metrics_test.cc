// What a server shows at Settings::metrics, through real sockets; and that docs/operations.md says
// all of it.
#include "extproc/metrics.h"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "extproc/async.h"
#include "extproc/chain.h"
#include "extproc/error.h"
#include "extproc/handlers.h"
#include "server/http_client.h"
#include "server/operator_http.h"
#include "server/server_fixture.h"
#include "server/stats.h"
#include "server/transport.h"

namespace extproc::server::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

/// Handles request headers, and bodies, and does nothing.
Service idle(const std::string& name) {
  auto handlers = std::make_shared<Handlers>(name);
  handlers->process<Phase::request_headers>([](auto&, auto&, auto&, auto&) {});
  handlers->process<Phase::request_body>([](auto&, auto&, auto&, auto&) {});
  return Service(std::move(handlers));
}

class MetricsTest : public ServerTest {
 protected:
  MetricsTest() {
    settings.metrics = "127.0.0.1:0";
    settings.metrics_sample = 1;
  }

  /// Where the server says that it shows them.
  std::string address() {
    constexpr std::string_view kBefore = " shows metrics on ";
    for (const std::string& line : log()) {
      const std::size_t at = line.find(kBefore);
      if (at == std::string::npos) continue;
      const std::size_t begin = at + kBefore.size();
      return line.substr(begin, line.find(' ', begin) - begin);
    }
    ADD_FAILURE() << "no line of the log says where the metrics are";
    return "127.0.0.1:1";
  }
  std::string metrics() { return get(address(), "/metrics").body; }
};

/// Waits until the test lets it go.
class HeldUp final : public Processor {
 public:
  bool blocking() const override { return true; }
  void process_request_headers(const HttpHeaders&, Context& context, Request&,
                               HeadersResponse&) override {
    entered = true;
    while (!released) {
      cancelled = context.cancelled();
      std::this_thread::sleep_for(1ms);
    }
  }
  std::atomic<bool> entered = false;
  std::atomic<bool> cancelled = false;
  std::atomic<bool> released = false;
};

TEST_F(MetricsTest, SaysWhatCameOfStreams) {
  Server& server = start(idle("Answers"));
  {
    SocketClient client = connect();
    const auto id = client.call(kProcess, kRequestHeaders);
    EXPECT_THAT(metrics(), HasSubstr("extproc_streams_inflight{processor=\"Answers\"} 1\n"));
    // As Envoy ends streams.
    client.peer.reset(id, NGHTTP2_NO_ERROR);
    const auto second = client.peer.open_call(kProcess);
    client.peer.send_message(second, "\xff");
    client.talk_until([&] { return client.stream(second).closed; });
  }
  EXPECT_TRUE(eventually([&] { return server.stats().streams_open == 0; }));
  const std::string text = metrics();
  for (const char* line :
       {"extproc_streams_total{processor=\"Answers\",code=\"OK\"} 1\n",
        "extproc_streams_total{processor=\"Answers\",code=\"INTERNAL\"} 1\n",
        "extproc_streams_started_total{processor=\"Answers\"} 2\n",
        "extproc_streams_failed_total{processor=\"Answers\"} 1\n",
        "extproc_streams_inflight{processor=\"Answers\"} 0\n",
        "extproc_malformed_messages_total{processor=\"Answers\"} 1\n",
        "extproc_messages_total{processor=\"Answers\",direction=\"received\",phase=\"none\"} 1\n",
        "extproc_stream_duration_seconds_count{processor=\"Answers\"} 2\n",
        "extproc_phase_duration_seconds_count{processor=\"Answers\",phase=\"request_headers\"} 1\n",
        "extproc_connections_accepted_total{processor=\"Answers\"} 1\n",
        "extproc_ready{processor=\"Answers\"} 1\n", "extproc_build_info{version=\""})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, Not(HasSubstr("certificate_expiry")));
}

TEST_F(MetricsTest, AResetWhileAnAnswerIsOwedIsCancelled) {
  const auto slow = std::make_shared<HeldUp>();
  Server& server = start(Service(slow));
  SocketClient client = connect();
  const auto id = client.peer.open_call(kProcess);
  client.peer.send_message(id, kRequestHeaders);
  ASSERT_TRUE(client.talk_until([&] { return slow->entered.load(); }));
  client.peer.reset(id, NGHTTP2_NO_ERROR);
  client.send_only();
  EXPECT_TRUE(eventually([&] { return slow->cancelled.load(); }));
  slow->released = true;
  EXPECT_TRUE(eventually([&] { return server.stats().streams_open == 0; }));
  EXPECT_THAT(metrics(),
              AllOf(HasSubstr("extproc_streams_total{processor=\"HeldUp\",code=\"CANCELLED\"} 1\n"),
                    HasSubstr("extproc_streams_total{processor=\"HeldUp\",code=\"OK\"} 0\n"),
                    HasSubstr("outcome=\"cancelled\"} 1\n")));
}

TEST_F(MetricsTest, CanOnlyBeRead) {
  start();
  const HttpAnswer health = get(address(), "/healthz");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.body, "ok\n");
  EXPECT_EQ(get(address(), "/readyz?verbose").body, "ready\n");
  for (const char* path : {"/", "/metrics/", "/other"}) {
    const HttpAnswer nothing = get(address(), path);
    EXPECT_EQ(nothing.status, 404);
    EXPECT_THAT(nothing.body,
                AllOf(HasSubstr("/metrics"), HasSubstr("/healthz"), HasSubstr("/readyz")));
  }
  const HttpAnswer refused = ask(address(), "POST", "/metrics", {}, "a=b");
  EXPECT_EQ(refused.status, 405);
  EXPECT_THAT(refused.head, HasSubstr("Allow: GET, HEAD\r\n"));
  const HttpAnswer head = ask(address(), "HEAD", "/metrics");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  const HttpAnswer other =
      get(address(), "/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n");
  EXPECT_THAT(other.head, HasSubstr("Content-Type: application/openmetrics-text; version=1.0.0"));
  EXPECT_TRUE(other.body.ends_with("\n# EOF\n"));
}

TEST_F(MetricsTest, ReadinessIsThatOfHealth) {
  class Unready final : public Processor {
   public:
    void process_request_headers(const HttpHeaders&, Context&, Request&,
                                 HeadersResponse&) override {}
    bool ready() const override { return is_ready; }
    std::atomic<bool> is_ready = false;
  };
  const auto processor = std::make_shared<Unready>();
  Server& server = start(Service(processor));
  const HttpAnswer unready = get(address(), "/readyz");
  EXPECT_EQ(unready.status, 503);
  EXPECT_EQ(unready.body, "not ready: Unready\n");
  EXPECT_EQ(get(address(), "/healthz").status, 200);
  processor->is_ready = true;
  EXPECT_TRUE(eventually([&] { return get(address(), "/readyz").status == 200; }));
  EXPECT_THAT(metrics(), HasSubstr("extproc_ready{processor=\"Unready\"} 1\n"));

  // One that drains takes no requests any more, and is still looked at.
  SocketClient client = connect();
  client.call(kProcess, kRequestHeaders);
  server.shutdown(10s);
  EXPECT_TRUE(eventually([&] { return get(address(), "/readyz").status == 503; }));
  EXPECT_THAT(metrics(), HasSubstr("extproc_ready{processor=\"Unready\"} 0\n"));
  client.close();
  server.join();
}

TEST_F(MetricsTest, ServersOfOneProcessShareTheirAddress) {
  start(idle("First"));
  // The same by its text, so that the port is the same as well.
  Server other(idle("Second"), settings);
  other.start();
  const std::string text = metrics();
  EXPECT_THAT(text, AllOf(HasSubstr("extproc_ready{processor=\"First\"} 1\n"
                                    "extproc_ready{processor=\"Second\"} 1\n"),
                          HasSubstr("extproc_streams_total{processor=\"Second\",code=\"OK\"}")));
  EXPECT_EQ(text.find("# TYPE extproc_streams_total"), text.rfind("# TYPE extproc_streams_total"));
}

// Of those of the same name, what is counted where both send their spans is not added up.
TEST_F(MetricsTest, WhatServersCountTogetherIsToldOnce) {
  struct Nobody {};
  OperatorAddress anywhere;
  anywhere.address = parse_listen_address("here", "127.0.0.2:0");
  anywhere.flag = "here";
  const OperatorHttp<Nobody> collector(
      anywhere,
      [](const admin::HttpRequest&, std::span<Nobody* const>) { return admin::HttpResponse{}; });
  settings.tracing =
      TraceSettings{.endpoint = "http://" + collector.address() + "/v1/traces", .delay = 1ms};
  Server& first = start(idle("Same"));
  Server second(idle("Same"), settings);
  second.start();
  {
    SocketClient client = connect();
    const auto id = client.call(kProcess, kRequestHeaders);
    client.peer.reset(id, NGHTTP2_NO_ERROR);
    client.send_only();
    // The stream, and its phase.
    EXPECT_TRUE(eventually([&] { return first.stats().spans_sent == 2; }));
  }
  EXPECT_EQ(second.stats().spans_sent, 2U);
  EXPECT_THAT(metrics(),
              AllOf(HasSubstr("extproc_spans_sent_total{processor=\"Same\"} 2\n"),
                    HasSubstr("extproc_spans_dropped_total{processor=\"Same\"} 0\n"),
                    HasSubstr("extproc_log_lines_dropped_total{processor=\"Same\"} 0\n"),
                    // The first's client alone: what each has for itself is added up.
                    HasSubstr("extproc_connections_accepted_total{processor=\"Same\"} 1\n")));
}

TEST_F(MetricsTest, AProgramsOwnAreAmongThem) {
  const metrics::Counter counter("unit_server_total", "Counted by a test");
  counter.add(3);
  start();
  EXPECT_THAT(metrics(), HasSubstr("# TYPE unit_server_total counter\nunit_server_total 3\n"));
}

TEST_F(MetricsTest, AnAddressThatCannotBeHadIsRefused) {
  start();
  settings.metrics = "127.0.0.1:" + std::to_string(server_->port());
  Server other(Service::make<BaseExtProcService>(), settings);
  try {
    other.start();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--metrics"));
  }
  settings.metrics = "nowhere";
  EXPECT_THROW(Server(Service::make<BaseExtProcService>(), settings), Error);
  settings.metrics = "127.0.0.1:0";
  settings.metrics_sample = 0;
  EXPECT_THROW(Server(Service::make<BaseExtProcService>(), settings), Error);
}

/// Has certificates, and carries nothing.
class Certified final : public Transport {
 public:
  std::unique_ptr<SecureSession> open(SecureBuffers&) override { return nullptr; }
  Refreshed refresh() override { return {}; }
  std::vector<std::string> files() const override { return {}; }
  std::string description() const override { return "certified"; }
  std::string warning() const override { return ""; }
  TransportReport report() const override {
    const auto expires = [](std::string use, std::chrono::seconds at) {
      ServedCertificate one;
      one.use = std::move(use);
      one.not_after = std::chrono::sys_seconds(at);
      return one;
    };
    return {.certificates = {expires("server", 2'000'000'000s),
                             expires("client_ca", 253'402'300'799s),
                             expires("client_ca", 253'402'300'800s)}};
  }
};

TEST_F(MetricsTest, SaysWhenCertificatesExpire) {
  settings.transport = std::make_shared<Certified>();
  start();
  EXPECT_THAT(metrics(),
              AllOf(HasSubstr("extproc_tls_certificate_expiry_timestamp_seconds{processor="
                              "\"BaseExtProcService\",role=\"server\"} 2000000000\n"),
                    HasSubstr("role=\"client_ca\"} 253402300799\n")));
}

/// The names of the metrics in the tables of a page.
std::set<std::string> documented() {
  std::ifstream in(EXTPROC_DOCS "/operations.md");
  EXPECT_TRUE(in);
  std::set<std::string> names;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("| `extproc_") && !line.starts_with("| `process_")) continue;
    const std::size_t begin = line.find('`') + 1;
    names.insert(line.substr(begin, line.find_first_of("`{", begin) - begin));
  }
  return names;
}

TEST_F(MetricsTest, TheDocsNameEachOfThem) {
  settings.transport = std::make_shared<Certified>();
  start(Service(std::make_shared<Chain>(std::vector{idle("First"), idle("Second")}, "Both")));
  const std::string text = metrics();
  std::set<std::string> told;
  constexpr std::string_view kType = "\n# TYPE ";
  for (std::size_t at = text.find(kType); at != std::string::npos; at = text.find(kType, at + 1)) {
    const std::size_t begin = at + kType.size();
    std::string name = text.substr(begin, text.find(' ', begin) - begin);
    if (name.starts_with("extproc_") || name.starts_with("process_")) told.insert(std::move(name));
  }
  const std::set<std::string> page = documented();
  for (const std::string& name : told) EXPECT_THAT(page, Contains(name));
  for (const std::string& name : page) EXPECT_THAT(told, Contains(name));
}

// Each counter of base/counters.h is published: by its name, by another, or by what says more.
TEST_F(MetricsTest, NoCounterIsLeftOut) {
  start();
  const std::string text = metrics();
  for_each_counter(Stats{}, [&](const CounterInfo& counter, std::uint64_t) {
    static const std::map<std::string_view, std::string_view> kOthers = {
        {"streams_open", "extproc_streams_inflight"},
        {"tls_handshakes_failed", "extproc_tls_handshakes_total"},
        {"tls_reloads_failed", "extproc_tls_reloads_total"}};
    const auto other = kOthers.find(counter.name);
    const std::string name = other != kOthers.end()
                                 ? std::string(other->second)
                                 : "extproc_" + std::string(counter.name) +
                                       (counter.kind == CounterKind::counter ? "_total" : "");
    EXPECT_THAT(text, HasSubstr("# TYPE " + name + " " +
                                (counter.kind == CounterKind::counter ? "counter" : "gauge")));
  });
}

}  // namespace
}  // namespace extproc::server::testing
