#include "extproc/call_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "extproc/async.h"
#include "extproc/error.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"
#include "log/line_writer.h"

namespace extproc {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Long enough that nothing is lost by it where it holds.
constexpr std::chrono::seconds kSoon{20};

/// Tells of all that there is to be told of.
class Teller final : public AsyncProcessor {
 public:
  explicit Teller(CallLogSettings settings) : log(std::move(settings)) {}

  Task<> process_request_headers(const HttpHeaders& headers, Context& context, Request& request,
                                 HeadersResponse&) override {
    log.request_headers(headers, context, request);
    if (headers.value("x-own")) {
      auto& fields = request.shared<CallFields>();
      fields.set("model", "small");
      fields.set("model", "large");
      fields.set("tokens", 12);
      fields.set("share", 0.5);
      fields.set("cached", false);
      fields.set("password", "hunter2");
      fields.set_user("ann");
    }
    if (headers.value("x-fail")) throw std::runtime_error("failed");
    co_return;
  }
  Task<> process_response_headers(const HttpHeaders& headers, Context&, Request& request,
                                  HeadersResponse&) override {
    log.response_headers(headers, request);
    co_return;
  }
  Task<> stream_request_body(BodyStream& body, Context&, Request& request) override {
    co_await pass(body, request);
  }
  Task<> stream_response_body(BodyStream& body, Context&, Request& request) override {
    co_await pass(body, request);
  }
  Task<> process_response_trailers(const HttpTrailers& trailers, Context&, Request& request,
                                   TrailersResponse&) override {
    log.response_trailers(trailers, request);
    co_return;
  }
  void on_complete(const Completed& how, Context&, Request& request) override {
    if (!log.complete(how, request)) taken = false;
  }

  CallLog log;
  std::atomic<bool> taken = true;

 private:
  Task<> pass(BodyStream& body, Request& request) {
    while (auto chunk = co_await body.read()) {
      log.body(body.phase(), *chunk, request);
      body.write(chunk->bytes());
    }
  }
};

constexpr std::string_view kFilter = R"(
  processing_mode:
    request_body_mode: STREAMED
    response_body_mode: STREAMED
    response_trailer_mode: SEND
  request_attributes: ["xds.route_name", "source.address"]
)";

class CallLogTest : public ::testing::Test {
 protected:
  CallLogTest() { fs::create_directories(folder); }
  ~CallLogTest() override { fs::remove_all(folder); }

  std::shared_ptr<Teller> teller(CallLogSettings settings = {}) {
    settings.file = file;
    settings.sees_bodies = sees_bodies;
    return std::make_shared<Teller>(std::move(settings));
  }
  std::vector<json::object> lines(const Teller& teller) const {
    EXPECT_TRUE(teller.log.flush(kSoon));
    return lines_of(file);
  }
  static std::vector<json::object> lines_of(const fs::path& path) {
    std::ifstream in(path);
    std::vector<json::object> all;
    for (std::string line; std::getline(in, line);) all.push_back(json::parse(line).as_object());
    return all;
  }
  static testing::EnvoyResult play(const std::shared_ptr<Teller>& teller,
                                   const testing::Exchange& exchange) {
    return testing::Envoy(kFilter).run(Service(teller), exchange);
  }

  bool sees_bodies = true;
  const fs::path folder =
      fs::temp_directory_path() / ("extproc-call-log-" + std::to_string(::getpid()));
  const fs::path file = folder / "calls";
};

TEST_F(CallLogTest, TellsOfARequest) {
  const auto processor = teller({.request_headers = {"User-Agent", "x-none", "cookie"},
                                 .response_headers = {"server"},
                                 .user_header = "x-user"});
  const testing::Exchange exchange{
      .request = {.headers = {{":method", "POST"},
                              {":path", "/a?token=1&b=2"},
                              {"x-request-id", "id-1"},
                              {"x-user", "bob"},
                              {"user-agent", "me"},
                              {"cookie", "s=1"},
                              {"traceparent",
                               "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}},
                  .body = {"12345", "678"}},
      .upstream = {.headers = {{":status", "201"}, {"server", "s"}},
                   .body = {"ab"},
                   .trailers = testing::HeaderList{{"grpc-status", "0"}}},
      .attributes = {{"xds.route_name", "all"}, {"source.address", "192.0.2.4:80"}}};
  const auto result = play(processor, exchange);
  EXPECT_EQ(result.caller.body, "ab");
  const auto all = lines(*processor);
  ASSERT_EQ(all.size(), 1U);
  json::object line = all[0];
  EXPECT_EQ(line.at("time").as_string().size(), std::string("2026-01-31T12:00:00.123Z").size());
  EXPECT_GE(line.at("duration_ms").to_number<double>(), line.at("response_ms").to_number<double>());
  for (const std::string_view name : {"time", "duration_ms", "response_ms"}) line.erase(name);
  EXPECT_EQ(json::value(line), json::parse(R"({
      "method": "POST", "path": "/a?token=***&b=2", "route": "all", "status": 201,
      "grpc_status": "0", "request_bytes": 8, "response_bytes": 2, "user": "bob",
      "client": "192.0.2.4:80", "request_id": "id-1",
      "trace_id": "0af7651916cd43dd8448eb211c80319c",
      "request_headers": {"User-Agent": "me", "cookie": "***"},
      "response_headers": {"server": "s"}})"));
}

TEST_F(CallLogTest, LeavesOutWhatIsNotKnown) {
  const auto processor = teller();
  play(processor, {});
  const auto all = lines(*processor);
  ASSERT_EQ(all.size(), 1U);
  for (const std::string_view name : {"route", "user", "client", "request_id", "trace_id", "fields",
                                      "request_headers", "aborted", "error", "cut"})
    EXPECT_FALSE(all[0].contains(name)) << name;
  EXPECT_EQ(all[0].at("request_bytes").as_int64(), 0);
  EXPECT_EQ(all[0].at("response_bytes").as_int64(), 0);
}

TEST_F(CallLogTest, TellsWhatOthersOfTheChainSay) {
  const auto processor = teller({.user_header = "x-user"});
  play(processor, {.request = {.headers = {{"x-own", "1"}, {"x-user", "bob"}}}});
  const auto all = lines(*processor);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].at("user"), "ann");
  EXPECT_EQ(all[0].at("fields"),
            json::parse(R"({"model": "large", "tokens": 12, "share": 0.5, "cached": false,
                            "password": "***"})"));
}

TEST_F(CallLogTest, TellsSizesThatWereAnnounced) {
  sees_bodies = false;
  const auto processor = teller();
  testing::Envoy("processing_mode: {request_body_mode: NONE, response_body_mode: NONE}")
      .run(Service(processor),
           {.request = {.headers = {{":method", "POST"}, {"content-length", "3"}}, .body = {"abc"}},
            .upstream = {.headers = {{"content-length", "2"}}, .body = {"ab"}}});
  const auto all = lines(*processor);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].at("request_bytes").as_int64(), 3);
  EXPECT_EQ(all[0].at("response_bytes").as_int64(), 2);
}

TEST_F(CallLogTest, TellsOfHowARequestFailed) {
  const auto processor = teller({.sample = 0});
  play(processor, {.request = {.headers = {{"x-fail", "1"}}}});
  play(processor, {.upstream = {.headers = {{":status", "404"}}}});
  play(processor, {});
  // A response whose end never comes.
  play(processor, {.upstream = {.body = {"a"}, .stays_open = true}});
  const auto all = lines(*processor);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].at("error"), "UNKNOWN");
  EXPECT_FALSE(all[0].contains("status"));
  EXPECT_EQ(all[1].at("status").as_int64(), 404);
  EXPECT_TRUE(all[2].at("aborted").as_bool());
  EXPECT_EQ(all[2].at("response_bytes").as_int64(), 1);
}

TEST_F(CallLogTest, ChoosesTheSameRequestsEverywhere) {
  constexpr int kRequests = 400;
  std::vector<std::vector<std::string>> told;
  for (int process = 0; process < 2; ++process) {
    fs::remove(file);
    const auto processor = teller({.sample = 0.25});
    for (int i = 0; i < kRequests; ++i)
      play(processor, {.request = {.headers = {{"x-request-id", "request-" + std::to_string(i)}}}});
    told.emplace_back();
    for (const auto& line : lines(*processor))
      told.back().emplace_back(line.at("request_id").as_string());
  }
  EXPECT_EQ(told[0], told[1]);
  EXPECT_GT(told[0].size(), kRequests / 8U);
  EXPECT_LT(told[0].size(), kRequests / 2U);
}

TEST_F(CallLogTest, ChoosesAmongRequestsWithoutAnIdAsWell) {
  const auto processor = teller({.sample = 0.5});
  for (int i = 0; i < 200; ++i) play(processor, {});
  const auto count = lines(*processor).size();
  EXPECT_GT(count, 50U);
  EXPECT_LT(count, 150U);
}

TEST_F(CallLogTest, BoundsItsLines) {
  const auto processor = teller({.request_headers = {"x-long"}, .line_bytes = 1024});
  play(processor, {.request = {.headers = {{":path", "/" + std::string(3000, '\x01')},
                                           {"x-long", std::string(3000, 'x')},
                                           {"x-own", "1"}}}});
  EXPECT_TRUE(processor->log.flush(kSoon));
  EXPECT_LE(fs::file_size(file), 1024U);
  const auto all = lines_of(file);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_TRUE(all[0].at("cut").as_bool());
  EXPECT_EQ(all[0].at("status").as_int64(), 200);
}

TEST_F(CallLogTest, NobodyWaitsForAPipeThatIsNotRead) {
  ::mkfifo(file.c_str(), 0600);
  const int reader = ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const auto processor = teller({.line_bytes = 2048, .queue_bytes = 8192});
  const std::string path = "/" + std::string(900, 'x');
  int sent = 0;
  while (processor->taken && sent < 10'000) {
    play(processor, {.request = {.headers = {{":path", path}}}});
    ++sent;
  }
  EXPECT_FALSE(processor->taken);
  EXPECT_GT(processor->log.dropped(), 0U);
  // What was not dropped comes when somebody reads, and how many were.
  std::string text;
  std::vector<char> bytes(1 << 16);
  for (bool last = false;;) {
    const ssize_t count = ::read(reader, bytes.data(), bytes.size());
    if (count > 0) {
      text.append(bytes.data(), static_cast<std::size_t>(count));
    } else if (last) {
      break;
    }
    last = processor->log.flush(1ms);
  }
  ::close(reader);
  std::istringstream in(text);
  std::int64_t dropped = 0;
  int told = 0;
  for (std::string line; std::getline(in, line);) {
    const auto object = json::parse(line).as_object();
    object.contains("dropped") ? dropped += object.at("dropped").as_int64() : ++told;
  }
  EXPECT_EQ(dropped, static_cast<std::int64_t>(processor->log.dropped()));
  EXPECT_EQ(told + dropped, sent);
}

TEST_F(CallLogTest, OpensItsFileAnewWithAllOthers) {
  const auto processor = teller();
  play(processor, {});
  EXPECT_EQ(lines(*processor).size(), 1U);
  fs::rename(file, folder / "calls.1");
  log::LineWriter::reopen_all();
  play(processor, {});
  EXPECT_TRUE(processor->log.flush(kSoon));
  // Where the line came before the file was opened it is in the old one.
  play(processor, {});
  EXPECT_EQ(lines(*processor).size() + lines_of(folder / "calls.1").size(), 3U);
  EXPECT_FALSE(lines_of(file).empty());
}

TEST_F(CallLogTest, TakesRequestsOfManyThreads) {
  constexpr int kEach = 200;
  {
    const auto processor = teller();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < kEach; ++j) play(processor, {});
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(lines_of(file).size(), 4U * kEach);
}

TEST_F(CallLogTest, RefusesWhatCannotBe) {
  EXPECT_THAT([this] { CallLog log({.file = folder}); },
              ThrowsMessage<Error>(HasSubstr(folder.string())));
  EXPECT_THAT([] { CallLog log({.file = ""}); },
              ThrowsMessage<Error>(HasSubstr("standard output")));
  EXPECT_THAT([] { CallLog log({.sample = 2}); }, ThrowsMessage<Error>(HasSubstr("sample")));
  EXPECT_THAT([] { CallLog log({.line_bytes = 10}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("line_bytes"), HasSubstr("10"))));
  EXPECT_THAT([] { CallLog log({.otlp = TraceSettings{}, .line_bytes = 20'000}); },
              ThrowsMessage<Error>(HasSubstr("16384")));
  EXPECT_THROW(CallLog log({.otlp = TraceSettings{.endpoint = "no URL"}}), Error);
  EXPECT_THAT([] { CallLog log({.queue_bytes = 10}); },
              ThrowsMessage<Error>(HasSubstr("queue_bytes")));
}

}  // namespace
}  // namespace extproc
