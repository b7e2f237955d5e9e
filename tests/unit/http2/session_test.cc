// A session and a client that keeps to the protocol.
#include "http2/session.h"

#include "http2/session_fixture.h"

namespace extproc::http2::testing {
namespace {

const Header kOkHeaders[] = {constant_header(":status", "200")};
const Header kTrailers[] = {constant_header("grpc-status", "0")};

TEST_F(SessionTest, TellsOfARequestAndSendsAnAnswerWithTrailers) {
  const auto id = client.open_call("/a");
  client.send(id, "hello", true);
  talk();
  EXPECT_TRUE(session->established());
  EXPECT_EQ(session->open_streams(), 1U);
  EXPECT_EQ(headers.at(2), (std::pair<std::string, std::string>(":path", "/a")));
  EXPECT_EQ(stream(id).received, "hello");
  EXPECT_TRUE(stream(id).ended);

  stream(id).output = std::string(40'000, 'x');
  session->send_headers(stream(id), kOkHeaders);
  session->send_body(stream(id));
  talk();
  EXPECT_EQ(client.stream(id).body.size(), 40'000U);
  EXPECT_FALSE(client.stream(id).end_stream);

  stream(id).output = "more";
  session->send_body(stream(id));
  talk();
  session->send_trailers(stream(id), kTrailers);
  EXPECT_FALSE(stream(id).closed) << "inside of receive() and take_output() only";
  talk();
  EXPECT_EQ(client.stream(id).body.size(), 40'004U);
  EXPECT_EQ(client.stream(id).grpc_status(), "0");
  EXPECT_TRUE(stream(id).end_sent);
  EXPECT_EQ(stream(id).closed, 1);
  EXPECT_EQ(client.stream(id).reset, std::nullopt);
  EXPECT_EQ(session->open_streams(), 0U);
}

TEST_F(SessionTest, TakesBytesHoweverTheyAreCut) {
  for (const std::size_t cut : {1U, 2U, 7U, 9U, 10U, 1'000U}) {
    piece = cut;
    const auto id = client.open_call("/cut");
    client.send(id, std::string(3'000, 'x'));
    client.end(id);
    talk();
    EXPECT_EQ(stream(id).received, std::string(3'000, 'x')) << cut;
    EXPECT_TRUE(stream(id).ended) << cut;
  }
}

TEST_F(SessionTest, ResetsWithoutErrorWhenThePeerHasNotEnded) {
  const auto id = client.open_call("/a");
  talk();
  session->send_trailers(stream(id), kOkHeaders);
  talk();
  EXPECT_EQ(client.stream(id).reset, std::uint32_t{NGHTTP2_NO_ERROR});
  EXPECT_EQ(stream(id).closed, 1);
}

TEST_F(SessionTest, RefusesARequestWithItsWholeAnswer) {
  refuses = true;
  const auto open = client.open_call("/a");
  const auto ended = client.open({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}, true);
  talk();
  for (const auto id : {open, ended}) {
    EXPECT_EQ(client.stream(id).trailer(":status"), "200");
    EXPECT_TRUE(client.stream(id).closed);
  }
  EXPECT_EQ(client.stream(open).reset, std::uint32_t{NGHTTP2_NO_ERROR});
  EXPECT_EQ(client.stream(ended).reset, std::nullopt);
  EXPECT_EQ(session->open_streams(), 0U);
  // And when the connection ends before it is written.
  client.open_call("/a");
  session->receive(client.take_output());
  EXPECT_EQ(session->open_streams(), 1U);
}

TEST_F(SessionTest, DecodesTheSameHeadersOnce) {
  const auto request = [this](std::string_view path) {
    client.open_call(path);
    talk();
    return told_headers.at(2).second;
  };
  EXPECT_EQ(request("/a"), "/a");  // puts its headers into the table
  EXPECT_EQ(request("/a"), "/a");  // is remembered
  EXPECT_EQ(same_requests, 0);
  EXPECT_EQ(request("/a"), "/a");
  EXPECT_EQ(same_requests, 1);
  EXPECT_EQ(request("/b"), "/b");
  EXPECT_EQ(request("/b"), "/b");
  EXPECT_EQ(same_requests, 2);
  EXPECT_EQ(request("/a"), "/a");
  EXPECT_EQ(same_requests, 2);
  // A header that goes into the table moves what others mean.
  client.open_call("/a", {{"x-new", "1"}});
  talk();
  EXPECT_EQ(told_headers.back().first, "x-new");
  EXPECT_EQ(request("/a"), "/a");
  EXPECT_EQ(told_headers.size(), 6U);
  EXPECT_EQ(same_requests, 2);
  EXPECT_EQ(request("/a"), "/a");
  EXPECT_EQ(same_requests, 3);
}

TEST_F(SessionTest, SaysWhyWhenHttp1Comes) {
  EXPECT_FALSE(session->receive("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  take_output();
  EXPECT_TRUE(session->finished());
  EXPECT_EQ(session->error(),
            "PROTOCOL_ERROR: HTTP/1 came on a port that speaks HTTP/2: the cluster needs "
            "http2_protocol_options (explicit_http_config)");
  EXPECT_FALSE(session->receive("more"));
}

TEST_F(SessionTest, TerminatesWithReason) {
  const auto id = client.open_call("/a");
  talk();
  session->terminate(ErrorCode::enhance_your_calm, "enough");
  talk();
  ASSERT_EQ(client.goaways().size(), 1U);
  EXPECT_EQ(client.goaways()[0].second, std::uint32_t{NGHTTP2_ENHANCE_YOUR_CALM});
  EXPECT_EQ(session->error(), "ENHANCE_YOUR_CALM: enough");
  EXPECT_TRUE(session->finished());
  EXPECT_FALSE(client.stream(id).end_stream);
}

TEST_F(SessionTest, EndsAPeerThatAsksWithoutReading) {
  std::string pings = client.take_output();
  int count = 0;
  for (; count < 200'000 && session->receive(pings); ++count)
    pings.assign("\0\0\x08\x06\0\0\0\0\0pingping", 17);
  EXPECT_LT(count, 50'000);
  EXPECT_EQ(session->error(),
            "ENHANCE_YOUR_CALM: too many frames wait for a peer that does not read");
}

TEST_F(SessionTest, EndsAPeerThatDoesNotReadItsResets) {
  limits.streams_per_connection = 10;
  connect();
  int count = 0;  // of streams; the first 1,024 are open
  while (count < 100'000 && session->receive(client.take_output())) {
    client.open_call("/a");
    ++count;
  }
  EXPECT_LT(count, 10'000);
  EXPECT_NE(session->error().find("ENHANCE_YOUR_CALM"), std::string::npos);
}

TEST_F(SessionTest, KeepsWindowOpenWhileStreamsAreNotConsumed) {
  const auto id = client.open_call("/a");
  talk();
  for (int i = 0; i < 64; ++i) client.send(id, std::string(16'384, 'x'));
  talk();
  // The stream's window is used up exactly; another stream still gets through.
  EXPECT_EQ(stream(id).received.size(), limits.stream_window_bytes);
  client.send(id, "stalls");
  const auto other = client.open_call("/b");
  client.send(other, "goes on");
  talk();
  EXPECT_EQ(client.unsent(id), 6U);
  EXPECT_EQ(stream(other).received, "goes on");
  session->give_credit(stream(id), limits.stream_window_bytes);
  talk();
  EXPECT_EQ(client.unsent(id), 0U);
}

TEST_F(SessionTest, StreamsAreWrittenInTurn) {
  const auto a = client.open_call("/a");
  const auto b = client.open_call("/b");
  talk();
  for (const auto id : {a, b}) {
    stream(id).output = std::string(60'000, 'x');
    session->send_headers(stream(id), kOkHeaders);
    session->send_body(stream(id));
  }
  // 65,535 bytes are all that the connection's window lets out.
  client.receive(take_output());
  EXPECT_EQ(client.stream(a).body.size() + client.stream(b).body.size(), 65'535U);
  EXPECT_GE(client.stream(b).body.size(), 32'767U);
  talk();
  EXPECT_EQ(client.stream(a).body.size(), 60'000U);
  EXPECT_EQ(client.stream(b).body.size(), 60'000U);
}

TEST_F(SessionTest, ALongStatusMessageIsContinued) {
  const std::string text(100'000, 'm');
  const auto id = client.open_call("/a");
  talk();
  const Header trailers[] = {constant_header("grpc-status", "13"),
                             passing_header("grpc-message", text)};
  nghttp2_session_set_local_window_size(client.native(), NGHTTP2_FLAG_NONE, 0, 1 << 20);
  session->send_headers(stream(id), kOkHeaders);
  session->send_trailers(stream(id), trailers);
  const std::string out = take_output();
  EXPECT_GT(out.size(), text.size() + 6 * FrameHeader::kBytes);
  // nghttp2 takes no more than 64 KiB of one header: the block is read here.
  std::string block;
  for (std::size_t at = 0; at < out.size();) {
    const FrameHeader frame = FrameHeader::read(out.data() + at);
    if (frame.type == FrameType::continuation || frame.has(flag::kEndStream))
      block += out.substr(at + FrameHeader::kBytes, frame.length);
    at += FrameHeader::kBytes + frame.length;
    EXPECT_LE(frame.length, kMostFrameBytes);
  }
  EXPECT_NE(block.find(text), std::string::npos);
}

}  // namespace
}  // namespace extproc::http2::testing
