// The admin service of a server, as an operator asks it.
#include <gmock/gmock.h>

#include <atomic>
#include <boost/json/src.hpp>
#include <memory>
#include <string>
#include <thread>

#include "extproc/async.h"
#include "extproc/chain.h"
#include "extproc/error.h"
#include "extproc/handlers.h"
#include "server/admin_pages.h"
#include "server/http_client.h"
#include "server/server_fixture.h"

namespace extproc::server::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kNamed = "\x12\x18\x0a\x16\x0a\x14\x0a\x0cx-request-id\x1a\x04id-1";

/// Its handler waits until the test lets it go.
class Held : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders&, Context&, Request&,
                                 HeadersResponse&) override {
    entered = true;
    co_await offload([this] {
      while (!released) std::this_thread::sleep_for(1ms);
    });
  }

  std::atomic<bool> entered = false;
  std::atomic<bool> released = false;
};

class ServerAdminTest : public ServerTest {
 protected:
  ServerAdminTest() {
    settings.server_admin = "unix:" + folder_.path() + "/admin";
    settings.early_end = false;
  }

  const std::string& admin() const { return *settings.server_admin; }
  boost::json::value json(std::string_view page) {
    const HttpAnswer answer = get(admin(), page);
    EXPECT_EQ(answer.status, 200) << page;
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/json\r\n"));
    return boost::json::parse(answer.body);
  }
  boost::json::value of_server(std::string_view page) { return json(page).at("servers").at(0); }

 private:
  TemporaryFolder folder_;
};

TEST_F(ServerAdminTest, EveryPageIsJsonForProgramsAndHtmlForPeople) {
  start();
  for (const char* page : {"/settings", "/streams", "/certs", "/log-level", "/stats", "/version"}) {
    EXPECT_EQ(of_server(page).at("address").as_string(), server_->address()) << page;
    const HttpAnswer html = get(admin(), page, "Accept: text/html\r\n");
    EXPECT_EQ(html.status, 200) << page;
    EXPECT_THAT(html.head, HasSubstr("Content-Type: text/html")) << page;
    EXPECT_THAT(html.body, HasSubstr(server_->address())) << page;
  }
  EXPECT_THAT(get(admin(), "/").body, HasSubstr("<form method=\"post\" action=\"/log-level\">"));
  EXPECT_EQ(get(admin(), "/style.css").status, 200);
  const HttpAnswer unknown = get(admin(), "/nothing");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("/streams"));
}

TEST_F(ServerAdminTest, SettingsTellFromWhereTheyAre) {
  settings.threads = 3;
  settings.tracing = TraceSettings{.endpoint = "http://127.0.0.1:1/v1/traces"};
  start();
  std::size_t seen = 0;
  const auto server = of_server("/settings");
  for (const auto& each : server.at("settings").as_array()) {
    if (each.at("name") == "threads") {
      EXPECT_EQ(each.at("value").as_string(), "3");
      EXPECT_EQ(each.at("from").as_string(), "program");
      EXPECT_EQ(each.at("flag").as_string(), "--threads");
    } else if (each.at("name") == "drain_delay") {
      EXPECT_EQ(each.at("from").as_string(), "default");
    } else if (each.at("name") == "tracing") {
      EXPECT_EQ(each.at("value").as_string(),
                "http://127.0.0.1:1/v1/traces, parentbased_always_on");
      EXPECT_EQ(each.at("from").as_string(), "program");
    } else if (each.at("name") == "tls") {
      EXPECT_EQ(each.at("value").as_string(), "off");
    } else if (each.at("name") == "filter.allowed_override_modes") {
      EXPECT_EQ(each.at("value").as_string(), "any");
    } else {
      continue;
    }
    ++seen;
  }
  EXPECT_EQ(seen, 5U);
}

TEST_F(ServerAdminTest, TellsWhatAStreamWaitsFor) {
  const auto processor = std::make_shared<Held>();
  start(Service(processor));
  SocketClient client = connect();
  const auto id = client.peer.open_call(kProcess);
  client.peer.send_message(id, kNamed);
  EXPECT_TRUE(client.talk_until([&] { return processor->entered.load(); }));
  auto server = of_server("/streams");
  ASSERT_EQ(server.at("streams").as_array().size(), 1U);
  auto stream = server.at("streams").at(0);
  EXPECT_EQ(server.at("open").as_int64(), 1);
  EXPECT_EQ(server.at("not_shown").as_int64(), 0);
  EXPECT_EQ(server.at("busy_threads").as_int64(), 0);
  EXPECT_EQ(stream.at("processor").as_string(), server_->name());
  EXPECT_EQ(stream.at("phase").as_string(), "request_headers");
  EXPECT_EQ(stream.at("waits_for").as_string(), "its handler");
  EXPECT_EQ(stream.at("request_id").as_string(), "id-1");
  EXPECT_GE(stream.at("age_ms").as_int64(), stream.at("in_handler_ms").as_int64());
  EXPECT_THAT(std::string(stream.at("peer").as_string()), HasSubstr("127.0.0.1:"));

  client.close();
  // The server hears of it.
  EXPECT_TRUE(eventually([&] { return server_->stats().connections_open == 0; }));
  stream = of_server("/streams").at("streams").at(0);
  EXPECT_EQ(stream.at("waits_for").as_string(), "its handler, though the stream is over");
  EXPECT_TRUE(stream.at("peer").is_null());
  processor->released = true;
}

TEST_F(ServerAdminTest, TellsWhichProcessorOfAChainRuns) {
  const auto held = std::make_shared<Held>();
  Chain chain({Service::make<BaseExtProcService>(), Service(held)});
  start(Service(chain));
  SocketClient client = connect();
  const auto id = client.peer.open_call(kProcess);
  client.peer.send_message(id, kNamed);
  EXPECT_TRUE(client.talk_until([&] { return held->entered.load(); }));
  const auto server = of_server("/streams");
  ASSERT_EQ(server.at("streams").as_array().size(), 1U);
  EXPECT_EQ(server.at("streams").at(0).at("processor").as_string(), "Held");
  EXPECT_EQ(server.at("streams").at(0).at("waits_for").as_string(), "its handler");
  EXPECT_EQ(server.at("streams").at(0).at("request_id").as_string(), "id-1");
  held->released = true;
  server_.reset();
}

TEST_F(ServerAdminTest, TellsOfAThreadThatIsHeldUp) {
  settings.threads = 1;
  std::atomic<bool> entered = false;
  std::atomic<bool> released = false;
  Handlers handlers("Blocks");
  handlers.process<Phase::request_headers>([&](auto&, auto&, auto&, auto&) {
    entered = true;
    while (!released) std::this_thread::sleep_for(1ms);
  });
  start(Service(handlers));
  SocketClient client = connect();
  const auto id = client.peer.open_call(kProcess);
  client.peer.send_message(id, kNamed);
  client.send_only();
  EXPECT_TRUE(eventually([&] { return entered.load(); }));
  const auto server = of_server("/streams");
  EXPECT_EQ(server.at("busy_threads").as_int64(), 1);
  EXPECT_EQ(server.at("open").as_int64(), 1);
  EXPECT_EQ(server.at("not_shown").as_int64(), 1);
  released = true;
  server_.reset();
}

TEST_F(ServerAdminTest, TellsOfIdleStreamsAndHowManyItDoesNotShow) {
  start();
  SocketClient client = connect();
  for (int i = 0; i < 5; ++i) client.call(kProcess, kRequestHeaders);
  client.peer.open_call(kProcess);
  client.call(kCheck, "");
  auto server = of_server("/streams");
  EXPECT_EQ(server.at("open").as_int64(), 6);
  ASSERT_EQ(server.at("streams").as_array().size(), 6U);
  EXPECT_EQ(server.at("streams").at(0).at("phase").as_string(), "request_headers");
  EXPECT_EQ(server.at("streams").at(0).at("waits_for").as_string(), "the client's next message");
  EXPECT_TRUE(server.at("streams").at(0).at("request_id").is_null());
  server = of_server("/streams?limit=2");
  EXPECT_EQ(server.at("streams").as_array().size(), 2U);
  EXPECT_EQ(server.at("not_shown").as_int64(), 4);
  EXPECT_EQ(get(admin(), "/streams?limit=many").status, 400);
}

TEST_F(ServerAdminTest, SetsTheLevelOfTheLog) {
  settings.log_level = LogLevel::warning;
  start();
  EXPECT_EQ(json("/log-level").at("log_level").as_string(), "WARNING");
  const HttpAnswer set = ask(admin(), "POST", "/log-level", {}, "level=debug");
  EXPECT_EQ(set.status, 200);
  EXPECT_EQ(boost::json::parse(set.body).at("log_level").as_string(), "DEBUG");
  EXPECT_THAT(log(), Contains(HasSubstr("logs at DEBUG, and not at WARNING")));
  EXPECT_EQ(ask(admin(), "POST", "/log-level?level=ERROR").status, 200);
  EXPECT_EQ(json("/log-level").at("log_level").as_string(), "ERROR");
  const HttpAnswer form = ask(admin(), "POST", "/log-level",
                              "Accept: text/html\r\n"
                              "Content-Type: application/x-www-form-urlencoded\r\n",
                              "level=OFF");
  EXPECT_EQ(form.status, 303);
  EXPECT_THAT(form.head, HasSubstr("Location: /log-level"));
  EXPECT_EQ(ask(admin(), "POST", "/log-level", {}, "level=loud").status, 400);
  EXPECT_EQ(ask(admin(), "POST", "/log-level", {}, "").status, 400);
  EXPECT_EQ(ask(admin(), "POST", "/log-level", "Content-Type: application/json\r\n", "{}").status,
            415);
  EXPECT_EQ(json("/log-level").at("log_level").as_string(), "OFF");
  EXPECT_EQ(get(admin(), "/log-level?level=DEBUG").status, 200);
  EXPECT_EQ(json("/log-level").at("log_level").as_string(), "OFF");
  for (const char* page : {"/", "/settings", "/nothing"})
    EXPECT_EQ(ask(admin(), "POST", page, {}, "a=b").status, 405) << page;
}

TEST_F(ServerAdminTest, APageOfAnotherOriginChangesNothing) {
  settings.log_level = LogLevel::warning;
  start();
  const auto post = [&](const std::string& headers) {
    return ask(admin(), "POST", "/log-level", "Host: localhost:1\r\n" + headers, "level=ERROR")
        .status;
  };
  EXPECT_EQ(post("Origin: http://evil.example\r\n"), 403);
  EXPECT_EQ(post("Origin: http://localhost:2\r\n"), 403);
  EXPECT_EQ(post("Origin: null\r\n"), 403);
  EXPECT_EQ(post("Sec-Fetch-Site: cross-site\r\n"), 403);
  EXPECT_EQ(post("Sec-Fetch-Site: same-site\r\n"), 403);
  EXPECT_EQ(json("/log-level").at("log_level").as_string(), "WARNING");
  EXPECT_EQ(post("Origin: http://LocalHost:1\r\nSec-Fetch-Site: same-origin\r\n"), 200);
}

TEST_F(ServerAdminTest, OnTcpTheHostMustBeOfThisMachine) {
  const std::string port = std::to_string(40'000 + ::getpid() % 20'000);
  settings.server_admin = "127.0.0.1:" + port;
  start();
  const auto status = [&](const std::string& host) {
    return get(admin(), "/version", "Host: " + host + "\r\n").status;
  };
  for (const char* host : {"127.0.0.1", "127.0.0.1:80", "localhost:9902", "[::1]:1", "LOCALHOST"})
    EXPECT_EQ(status(host), 200) << host;
  for (const char* host : {"evil.example", "127.evil.example", "127.0.0.1.evil.example:80",
                           "localhost.evil.example", "10.0.0.1", "[::2]", "[::1", "127.1.1"})
    EXPECT_EQ(status(host), 403) << host;
}

TEST_F(ServerAdminTest, ServersOfOneProcessAreShownTogether) {
  start();
  settings.log = {};
  settings.log_level = LogLevel::off;
  Server other(Service::make<BaseExtProcService>(), settings);
  other.start();
  EXPECT_EQ(json("/version").at("servers").as_array().size(), 2U);
  EXPECT_EQ(ask(admin(), "POST", "/log-level", {}, "level=ERROR").status, 200);
  const auto levels = json("/log-level");
  for (const auto& server : levels.at("servers").as_array())
    EXPECT_EQ(server.at("log_level").as_string(), "ERROR");
  server_->shutdown(0ms);
  server_->join();
  EXPECT_EQ(json("/version").at("servers").as_array().size(), 1U);
}

TEST_F(ServerAdminTest, IsGoneWithItsServer) {
  start();
  server_->shutdown(0ms);
  server_.reset();
  EXPECT_EQ(get(admin(), "/").status, 0);
}

std::string refused_admin(const Settings& settings) {
  try {
    const Server server(Service::make<BaseExtProcService>(), settings);
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(ServerAdmin, OthersMayNotReachIt) {
  Settings settings;
  for (const char* address :
       {"9902", "0.0.0.0:9902", "[::]:9902", "10.0.0.1:9902", "example:9902"}) {
    settings.server_admin = address;
    settings.server_admin_anywhere = false;
    EXPECT_THAT(refused_admin(settings),
                AllOf(HasSubstr("name 127.0.0.1:9902"), HasSubstr("--server-admin-anywhere")))
        << address;
    settings.server_admin_anywhere = true;
    EXPECT_EQ(refused_admin(settings), "accepted");
  }
  settings.server_admin_anywhere = false;
  for (const char* address : {"127.0.0.1:0", "127.1.2.3:1", "[::1]:1", "localhost:1", "unix:/a"}) {
    settings.server_admin = address;
    EXPECT_EQ(refused_admin(settings), "accepted") << address;
  }
  settings.server_admin = "nonsense";
  EXPECT_THAT(refused_admin(settings), HasSubstr("--server-admin \"nonsense\": it must be"));
}

}  // namespace
}  // namespace extproc::server::testing
