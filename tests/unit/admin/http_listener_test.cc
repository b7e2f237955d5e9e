#include "admin/http_listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "admin/raw_client.h"

namespace extproc::admin {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kGet = "GET /page HTTP/1.1\r\nHost: here\r\n\r\n";
constexpr std::string_view kLastGet =
    "GET /page HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";

class HttpListenerTest : public ::testing::Test {
 protected:
  void start(HttpLimits limits = {}) {
    const int socket = socket_.fd();
    listener_ = std::make_unique<HttpListener>(
        std::span(&socket, 1), [this](const HttpRequest& request) { return answer(request); },
        limits);
    listener_->start();
  }
  RawClient connect() { return RawClient(socket_); }
  std::string ask(std::string_view bytes) {
    RawClient client = connect();
    client.send(bytes);
    return client.read_all();
  }

  std::atomic<int> asked_ = 0;

 private:
  HttpResponse answer(const HttpRequest& request) {
    ++asked_;
    if (request.path == "/throws") throw std::runtime_error("no paper");
    HttpResponse response;
    response.headers.emplace_back("X-Own", "1");
    for (const auto part :
         {request.method, request.path, request.query, request.host, request.origin,
          request.fetch_site, request.accept, request.content_type, request.body})
      response.body.append(part).append("|");
    if (request.path == "/large") response.body.assign(std::size_t{8} << 20, 'x');
    return response;
  }

  ListeningSocket socket_;
  std::unique_ptr<HttpListener> listener_;
};

TEST_F(HttpListenerTest, TellsTheHandlerWhatIsAsked) {
  start();
  const std::string answer = ask(
      "POST /a/b?c=d&e HTTP/1.1\r\nHost: h:1\r\nOrigin: http://h:1\r\nAccept: x/y\r\n"
      "Sec-Fetch-Site: none\r\nContent-Type: t/u\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
      "body");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Own: 1\r\n"));
  EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nPOST|/a/b|c=d&e|h:1|http://h:1|none|x/y|t/u|body|"));
}

TEST_F(HttpListenerTest, TakesABodyInChunks) {
  start();
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                  "Connection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
              EndsWith("|abcde|"));
}

TEST_F(HttpListenerTest, TellsAClientThatWaitsToSendItsBody) {
  start();
  RawClient client = connect();
  client.send(
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
      "Connection: close\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ab");
  EXPECT_THAT(client.read_all(), EndsWith("|ab|"));
}

TEST_F(HttpListenerTest, AnswersHeadWithoutTheBody) {
  start();
  const std::string answer = ask("HEAD /page HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 18\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpListenerTest, KeepsAConnectionOpen) {
  start();
  RawClient client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send(kGet);
    EXPECT_THAT(client.read_until("GET|/page||here||||||"), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  EXPECT_EQ(asked_, 3);
}

TEST_F(HttpListenerTest, AnswersRequestsThatComeAtOnceOneByOne) {
  start();
  RawClient client = connect();
  client.send(std::string(kGet) + std::string(kGet) + std::string(kLastGet));
  const std::string answers = client.read_all();
  EXPECT_EQ(asked_, 3);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = answers.find("HTTP/1.1 200", at)) != std::string::npos; ++at)
    ++count;
  EXPECT_EQ(count, 3U);
}

TEST_F(HttpListenerTest, ClosesAfterARequestOfHttp10) {
  start();
  EXPECT_THAT(ask("GET / HTTP/1.0\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), HasSubstr("Connection: close\r\n")));
}

struct Wrong {
  std::string name;
  std::string request;
  std::string status;
  std::string says;
};

class WrongRequest : public HttpListenerTest, public ::testing::WithParamInterface<Wrong> {};

TEST_P(WrongRequest, IsAnsweredWithWhatIsWrong) {
  start();
  const std::string answer = ask(GetParam().request);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + GetParam().status));
  EXPECT_THAT(answer, HasSubstr(GetParam().says));
  EXPECT_EQ(asked_, 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongRequest,
    ::testing::Values(
        Wrong{"Garbage", "(no http)\r\n\r\n", "400", "no HTTP/1.1 request"},
        Wrong{"TlsHello", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), "400",
              "no HTTP/1.1 request"},
        Wrong{"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505", "HTTP/1.1 is spoken"},
        Wrong{"NoHost", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "400", "one Host header"},
        Wrong{"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
              "400", "one Host header"},
        Wrong{"TwoOrigins",
              "GET / HTTP/1.1\r\nHost: a\r\nOrigin: b\r\nOrigin: c\r\nConnection: close\r\n\r\n",
              "400", "one Origin header"},
        Wrong{"WholeUrl", "GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "400",
              "must be a path"},
        Wrong{"Method", "DELETE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "405",
              "Allow: GET, HEAD, POST"},
        Wrong{"Trace", "TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "405",
              "GET, HEAD or POST"},
        Wrong{
            "LongTarget",
            "GET /" + std::string(4'096, 'a') + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "414", "longer than 4096 bytes"},
        Wrong{"EndlessTarget", "GET /" + std::string(200'000, 'a'), "414",
              "longer than 4096 bytes"},
        Wrong{"LongHeader",
              "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n", "431",
              "longer than 16384 bytes"},
        Wrong{"EndlessHeaders", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(2'000'000, 'a'),
              "431", "longer than 16384 bytes"},
        Wrong{"LongBody", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", "413",
              "longer than 65536 bytes"},
        Wrong{"LongBodyToWaitFor",
              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n"
              "Expect: 100-continue\r\n\r\n",
              "413", "longer than 65536 bytes"},
        Wrong{"LongChunks",
              "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n" +
                  std::string(65'537, 'a') + "\r\n0\r\n\r\n",
              "413", "longer than 65536 bytes"},
        Wrong{"BadLength", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", "400",
              "no HTTP/1.1 request"},
        Wrong{"LengthAndChunks",
              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"
              "\r\n0\r\n\r\n",
              "400", "no HTTP/1.1 request"},
        Wrong{"BadChunk",
              "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", "400",
              "no HTTP/1.1 request"}),
    [](const auto& each) { return each.param.name; });

TEST_F(HttpListenerTest, AnswersWhereTheHandlerThrows) {
  start();
  const std::string answer = ask("GET /throws HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(answer, HasSubstr("no paper"));
  EXPECT_THAT(ask(kLastGet), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpListenerTest, TellsARequestThatDoesNotEndThatItIsLate) {
  start({.request_time = milliseconds(50)});
  RawClient client = connect();
  client.send("GET / HTTP/1.1\r\nHos");
  EXPECT_THAT(client.read_all(), AllOf(StartsWith("HTTP/1.1 408"), HasSubstr("not complete")));
}

TEST_F(HttpListenerTest, TellsABodyThatDoesNotEndThatItIsLate) {
  start({.request_time = milliseconds(50)});
  RawClient client = connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 408"));
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpListenerTest, ClosesAConnectionThatIsIdle) {
  start({.idle_time = milliseconds(50)});
  EXPECT_EQ(connect().read_all(), "");
  RawClient used = connect();
  used.send(kGet);
  EXPECT_THAT(used.read_all(), AllOf(StartsWith("HTTP/1.1 200"), Not(HasSubstr("408"))));
}

TEST_F(HttpListenerTest, ClosesWhereTheAnswerIsNotTaken) {
  start({.answer_time = milliseconds(50)});
  RawClient client = connect();
  client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  // Another one is answered meanwhile, also when the time of the first is long over.
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(ask(kLastGet), StartsWith("HTTP/1.1 200"));
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_LT(client.read_all().size(), std::size_t{8} << 20);
}

TEST_F(HttpListenerTest, MakesRoomForOneMoreConnection) {
  start({.connections = 2});
  RawClient first = connect();
  first.send(kGet);
  first.read_until("||||||");
  RawClient second = connect();
  second.send(kGet);
  second.read_until("||||||");
  RawClient third = connect();
  third.send(kGet);
  EXPECT_THAT(third.read_until("||||||"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(first.read_all(), "");
  second.send(kLastGet);
  EXPECT_THAT(second.read_all(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpListenerTest, RefusesWhereAllAreInUse) {
  start({.connections = 2});
  std::vector<RawClient> busy;
  for (int i = 0; i < 2; ++i) {
    busy.push_back(connect());
    busy.back().send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_THAT(busy.back().read_until("\r\n\r\n"), HasSubstr("200 OK"));
  }
  EXPECT_THAT(ask(kLastGet), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("too many connections")));
  EXPECT_EQ(asked_, 2);
}

TEST_F(HttpListenerTest, RequestsThatDoNotEndKeepNobodyOut) {
  start({.connections = 8});
  std::vector<RawClient> half_open;
  for (int i = 0; i < 30; ++i) {
    half_open.push_back(connect());
    half_open.back().send("GET / HTTP/1.1\r\nHo");
  }
  for (int i = 0; i < 3; ++i) EXPECT_THAT(ask(kLastGet), StartsWith("HTTP/1.1 200"));
  // The first has made room, without a word.
  EXPECT_EQ(half_open.front().read_all(), "");
  half_open.back().send("st: here\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(half_open.back().read_all(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpListenerTest, ABodyThatDoesNotEndMakesRoomAfterOneThatIsIdle) {
  start({.connections = 2});
  RawClient reading = connect();
  reading.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  ASSERT_THAT(reading.read_until("\r\n\r\n"), HasSubstr("100 Continue"));
  RawClient idle = connect();
  idle.send(kGet);
  idle.read_until("||||||");
  RawClient third = connect();
  third.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na");
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_THAT(ask(kLastGet), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(reading.read_all(), "");
  third.send("b");
  EXPECT_THAT(third.read_until("|ab|"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpListenerTest, OutlivesManyConnectionsThatSayNothing) {
  start({.connections = 8});
  std::vector<RawClient> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(connect());
  EXPECT_THAT(ask(kLastGet), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpListenerTest, SaysNothingToAConnectionThatEndsInTheMiddle) {
  start();
  RawClient client = connect();
  client.send("GET / HTTP/1.1\r\nHo");
  client.end();
  EXPECT_EQ(client.read_all(), "");
  EXPECT_THAT(ask(kLastGet), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpListenerTest, StopsWithConnectionsInEveryState) {
  start();
  RawClient idle = connect();
  RawClient reading = connect();
  reading.send("GET / HTTP/1.1\r\nHo");
  RawClient unread = connect();
  unread.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(ask(kLastGet), StartsWith("HTTP/1.1 200"));
}

}  // namespace
}  // namespace extproc::admin
