// serve(): several processors in one process, until a signal.

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "extproc/processor.h"
#include "extproc/server.h"
#include "server/socket_client.h"
#include "server/variable.h"

namespace extproc::server::testing {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class First : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    response.set_header("x-by", "First");
  }
};

class Second : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    response.set_header("x-by", "Second");
  }
};

/// The ports that the log says are listened on, by processor.
class Ports {
 public:
  void read(std::string_view line) {
    const auto at = line.find(" listening on 127.0.0.1:");
    if (at == std::string_view::npos) return;
    const std::lock_guard lock(mutex_);
    ports_[std::string(line.substr(0, at))] =
        std::stoi(std::string(line.substr(line.find(':') + 1)));
  }
  int of(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = ports_.find(name);
    return found == ports_.end() ? 0 : found->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int> ports_;
};

TEST(Serve, SeveralProcessorsEachOnItsPortUntilASignal) {
  Ports ports;
  Settings settings;
  settings.threads = 1;
  settings.log = [&ports](LogLevel, std::string_view line) { ports.read(line); };
  std::vector<Service> services;
  services.push_back(Service::make<First>().on("127.0.0.1:0"));
  services.push_back(Service::make<Second>().on("127.0.0.1:0"));
  int status = -1;
  std::thread serving([&] { status = serve(std::move(services), settings); });
  const bool listening =
      eventually([&] { return ports.of("First") != 0 && ports.of("Second") != 0; });
  EXPECT_TRUE(listening);
  if (listening) {
    EXPECT_NE(ports.of("First"), ports.of("Second"));
    for (const std::string name : {"First", "Second"}) {
      SocketClient client(ports.of(name));
      const auto id = client.call(kProcess, kRequestHeaders);
      EXPECT_THAT(client.stream(id).messages().at(0), HasSubstr(name));
    }
  }
  std::raise(SIGTERM);
  serving.join();
  EXPECT_EQ(status, 0);
}

/// What the base processor answered to response headers, and all that was logged until a signal.
struct Served {
  std::string answer;
  std::vector<std::string> log;
};

/// The signals come while it serves, and `told` is logged of them.
Served serve_once(Settings settings, std::vector<int> signals = {}, std::string told = {}) {
  constexpr std::string_view kResponseHeaders("\x1a\x00", 2);
  Ports ports;
  Served served;
  std::mutex mutex;
  settings.threads = 1;
  settings.log = [&](LogLevel level, std::string_view line) {
    ports.read(line);
    const std::lock_guard lock(mutex);
    served.log.push_back(std::string(to_string(level)) + " " + std::string(line));
  };
  Service base = Service::make<BaseExtProcService>();
  const std::string name = base.name();
  std::thread serving([&] { EXPECT_EQ(serve(std::move(base).on("127.0.0.1:0"), settings), 0); });
  if (eventually([&] { return ports.of(name) != 0; })) {
    for (const int signal : signals) std::raise(signal);
    EXPECT_TRUE(told.empty() || eventually([&] {
                  const std::lock_guard lock(mutex);
                  return std::ranges::any_of(served.log, [&](const auto& line) {
                    return line.find(told) != std::string::npos;
                  });
                }));
    SocketClient client(ports.of(name));
    const auto id = client.call(kProcess, kResponseHeaders);
    served.answer = client.stream(id).messages().at(0);
  }
  std::raise(SIGTERM);
  serving.join();
  return served;
}

TEST(Serve, SignalsOfLogsAndTerminalsDoNotEndIt) {
  const Served served = serve_once({}, {SIGUSR1, SIGUSR2, SIGHUP}, "SIGHUP");
  EXPECT_THAT(served.answer, HasSubstr("x-ext-procs-applied"));
  // They are ignored when it has returned.
  for (const int signal : {SIGUSR1, SIGUSR2, SIGHUP, SIGPIPE}) std::raise(signal);
}

TEST(Serve, TakesTheEnvironmentWithoutAWord) {
  const Variable header("EXTPROCS_APPLIED_HEADER", "x-applied");
  const Variable not_looked_at("GRPC_PORT", "wrong");
  const Served served = serve_once({});
  EXPECT_THAT(served.answer, HasSubstr("x-applied"));
  EXPECT_THAT(served.log, Each(StartsWith("INFO")));
  Settings given;
  given.applied_header = "x-chain";
  EXPECT_THAT(serve_once(given).answer, HasSubstr("x-chain"));
}

TEST(Serve, RefusesAWrongEnvironment) {
  const Variable port("GRPC_PORT", "wrong");
  Settings settings;
  settings.log_level = LogLevel::off;
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(serve(Service::make<First>(), settings), 1);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "extproc: GRPC_PORT is \"wrong\": it must be a port from 0 to 65535\n");
}

TEST(Serve, RefusesWhatCannotWork) {
  Settings settings;
  settings.log_level = LogLevel::off;
  EXPECT_EQ(serve(std::vector<Service>{}, settings), 1);
  std::vector<Service> same;
  same.push_back(Service::make<First>().on(18'080));
  same.push_back(Service::make<Second>().on(18'080));
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(serve(std::move(same), settings), 1);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("First and Second would both listen on"));
}

}  // namespace
}  // namespace extproc::server::testing
