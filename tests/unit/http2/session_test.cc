#include "http2/session.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "http2/client_peer.h"

namespace extproc::http2 {
namespace {

using testing::ClientPeer;
using testing::Headers;

const Header kOkHeaders[] = {constant_header(":status", "200")};

struct FakeStream final : Stream {
  void on_data(std::string_view chunk) noexcept override { received += chunk; }
  void on_end_stream() noexcept override { ended = true; }
  void on_end_sent() noexcept override { end_sent = true; }
  void on_stream_closed() noexcept override { closed = true; }
  Output prepare_output(std::size_t max) noexcept override {
    return output.size() > max ? Output{max, false} : Output{output.size(), true};
  }
  void write_output(std::string& out, std::size_t bytes) noexcept override {
    out.append(output, 0, bytes);
    output.erase(0, bytes);
  }

  std::string received;
  std::string output;
  bool ended = false;
  bool end_sent = false;
  bool closed = false;
};

class SessionTest : public ::testing::Test, public SessionHandler {
 protected:
  void on_request_begin() noexcept override { headers.clear(); }
  void on_request_header(std::string_view name, std::string_view value) noexcept override {
    headers.emplace_back(name, value);
  }
  Stream* on_request(std::int32_t id) noexcept override { return &streams[id]; }

  void talk() {
    testing::exchange(
        client, [this](std::string_view bytes) { session.receive(bytes); },
        [this](std::string& out) { session.take_output(out, std::size_t{1} << 20); });
  }

  Limits limits;
  Headers headers;
  std::map<std::int32_t, FakeStream> streams;
  ClientPeer client;
  Memory memory;
  Session session{limits, memory, *this};
};

TEST_F(SessionTest, TellsOfARequestAndSendsAnAnswerWithTrailers) {
  const auto id = client.open_call("/a");
  client.send(id, "hello", true);
  talk();
  EXPECT_TRUE(session.established());
  EXPECT_EQ(session.open_streams(), 1U);
  EXPECT_EQ(headers.at(2), (std::pair<std::string, std::string>(":path", "/a")));
  EXPECT_EQ(streams[id].received, "hello");
  EXPECT_TRUE(streams[id].ended);

  streams[id].output = std::string(40'000, 'x');
  session.respond(id, kOkHeaders, streams[id]);
  talk();
  EXPECT_EQ(client.stream(id).body.size(), 40'000U);
  EXPECT_FALSE(client.stream(id).end_stream);

  streams[id].output = "more";
  session.send_body(id, streams[id]);
  talk();
  const Header trailers[] = {constant_header("grpc-status", "0")};
  session.send_trailers(id, trailers);
  talk();
  EXPECT_EQ(client.stream(id).body.size(), 40'004U);
  EXPECT_EQ(client.stream(id).grpc_status(), "0");
  EXPECT_TRUE(streams[id].end_sent);
  EXPECT_TRUE(streams[id].closed);
  EXPECT_EQ(client.stream(id).reset, std::nullopt);
  EXPECT_EQ(session.open_streams(), 0U);
}

TEST_F(SessionTest, ResetsWithoutErrorWhenThePeerHasNotEnded) {
  const auto id = client.open_call("/a");
  talk();
  session.respond(id, kOkHeaders);
  talk();
  EXPECT_EQ(client.stream(id).reset, std::uint32_t{NGHTTP2_NO_ERROR});
  EXPECT_TRUE(streams[id].closed);
}

TEST_F(SessionTest, SaysNothingAboutHttp1) {
  EXPECT_FALSE(session.receive("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  std::string out;
  session.take_output(out, std::size_t{1} << 20);
  EXPECT_TRUE(session.finished());
  EXPECT_EQ(session.error(), "PROTOCOL_ERROR: no HTTP/2 connection preface");
  EXPECT_FALSE(session.receive("more"));
}

TEST_F(SessionTest, TellsWhyTheConnectionEnds) {
  talk();
  // DATA on stream 0.
  session.receive(std::string_view("\0\0\0\0\0\0\0\0\0", 9));
  talk();
  EXPECT_TRUE(session.finished());
  EXPECT_NE(session.error().find("PROTOCOL_ERROR"), std::string::npos) << session.error();
  EXPECT_FALSE(session.receive("more"));
}

TEST_F(SessionTest, TerminatesWithReason) {
  const auto id = client.open_call("/a");
  talk();
  session.terminate(NGHTTP2_ENHANCE_YOUR_CALM, "enough");
  talk();
  ASSERT_EQ(client.goaways().size(), 1U);
  EXPECT_EQ(client.goaways()[0].second, std::uint32_t{NGHTTP2_ENHANCE_YOUR_CALM});
  EXPECT_EQ(session.error(), "ENHANCE_YOUR_CALM: enough");
  EXPECT_TRUE(session.finished());
  EXPECT_FALSE(client.stream(id).end_stream);
}

TEST_F(SessionTest, EndsAPeerThatAsksWithoutReading) {
  std::string pings = client.take_output();
  for (int i = 0; i < 200'000 && session.receive(pings); ++i)
    pings.assign("\0\0\x08\x06\0\0\0\0\0pingping", 17);
  EXPECT_TRUE(session.finished());
  EXPECT_FALSE(session.error().empty());
}

TEST_F(SessionTest, EndsAPeerThatDoesNotReadItsResets) {
  limits.streams_per_connection = 10;
  Session refusing(limits, memory, *this);
  ClientPeer flood;
  int count = 0;
  while (count < 100'000 && refusing.receive(flood.take_output())) {
    flood.open_call("/a");
    ++count;
  }
  EXPECT_LT(count, 10'000);
  EXPECT_NE(refusing.error().find("ENHANCE_YOUR_CALM"), std::string::npos);
}

TEST_F(SessionTest, KeepsWindowOpenWhileStreamsAreNotConsumed) {
  const auto id = client.open_call("/a");
  talk();
  for (int i = 0; i < 64; ++i) client.send(id, std::string(16'384, 'x'));
  talk();
  // The stream's window is used up exactly; another stream still gets through.
  EXPECT_EQ(streams[id].received.size(), limits.stream_window_bytes);
  client.send(id, "stalls");
  const auto other = client.open_call("/b");
  client.send(other, "goes on");
  talk();
  EXPECT_EQ(client.unsent(id), 6U);
  EXPECT_EQ(streams[other].received, "goes on");
  session.give_credit(id, limits.stream_window_bytes);
  talk();
  EXPECT_EQ(client.unsent(id), 0U);
}

}  // namespace
}  // namespace extproc::http2
