// Frames as a peer should not send them, or as few do, written by hand: what the session answers.
#include <gmock/gmock.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http2/session_fixture.h"

namespace extproc::http2::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr auto kData = FrameType::data;
constexpr auto kHeaders = FrameType::headers;
constexpr auto kContinuation = FrameType::continuation;

std::string frame(FrameType type, std::uint8_t flags, std::int32_t id, std::string_view payload) {
  std::string bytes;
  FrameHeader{static_cast<std::uint32_t>(payload.size()), type, flags, id}.append_to(bytes);
  bytes += payload;
  return bytes;
}

std::string u32(std::uint32_t value) {
  std::string bytes(4, '\0');
  write_u32(bytes.data(), value);
  return bytes;
}

std::string setting(Setting id, std::uint32_t value) {
  std::string bytes(2, '\0');
  write_u16(bytes.data(), static_cast<std::uint32_t>(id));
  return bytes + u32(value);
}

std::string settings(std::string_view entries) { return frame(FrameType::settings, 0, 0, entries); }
std::string window_update(std::int32_t id, std::uint32_t by) {
  return frame(FrameType::window_update, 0, id, u32(by));
}

// POST http /, of HPACK's static table, and what may follow: literals that are not added.
const std::string kRequest = "\x83\x86\x84";
std::string literal(std::string_view name, std::string_view value) {
  std::string bytes(1, '\0');
  for (const std::string_view text : {name, value}) {
    bytes += static_cast<char>(text.size());
    bytes += text;
  }
  return bytes;
}
std::string request(std::int32_t id, std::uint8_t more_flags = 0, std::string_view headers = {}) {
  return frame(kHeaders, flag::kEndHeaders | more_flags, id, kRequest + std::string(headers));
}

class FramesTest : public SessionTest {
 protected:
  FramesTest() { begin(); }

  /// A new connection on which streams 1 and 3 are open, and 5 was reset by the peer.
  void begin() {
    streams.clear();
    connect();
    session->receive(kPreface);
    session->receive(settings({}));
    session->receive(frame(FrameType::settings, flag::kAck, 0, {}));
    for (const int id : {1, 3, 5}) session->receive(request(id));
    session->receive(frame(FrameType::rst_stream, 0, 5, u32(8)));
    take_output();
  }

  /// The RST_STREAM frames in the output: the stream, and the code.
  std::vector<std::pair<std::int32_t, ErrorCode>> resets() {
    std::vector<std::pair<std::int32_t, ErrorCode>> found;
    const std::string out = take_output();
    for (std::size_t at = 0; at < out.size();) {
      const FrameHeader header = FrameHeader::read(out.data() + at);
      if (header.type == FrameType::rst_stream)
        found.emplace_back(header.stream, ErrorCode{read_u32(out.data() + at + 9)});
      at += FrameHeader::kBytes + header.length;
    }
    return found;
  }
};

TEST_F(FramesTest, EndTheConnection) {
  const std::uint32_t most = kMostWindow;
  const std::string large(16'384, 'x');
  std::string large_block = frame(kHeaders, 0, 7, large);
  for (int i = 0; i < 8; ++i) large_block += frame(kContinuation, 0, 7, large);
  std::string too_many_settings;
  for (int i = 0; i < 33; ++i) too_many_settings += setting(Setting::max_frame_size, 16'384);

  const struct {
    const char* name;
    std::string bytes;
    const char* error;
  } cases[] = {
      {"too long", std::string("\0\x40\x01\x0A\0\0\0\0\0", 9), "FRAME_SIZE_ERROR"},
      {"DATA on no stream", frame(kData, 0, 0, "x"), "PROTOCOL_ERROR"},
      {"DATA, idle", frame(kData, 0, 7, "x"), "PROTOCOL_ERROR"},
      {"DATA, even", frame(kData, 0, 2, "x"), "PROTOCOL_ERROR"},
      {"DATA, padding", frame(kData, flag::kPadded, 1, "\x02x"), "PROTOCOL_ERROR"},
      {"DATA, no padding", frame(kData, flag::kPadded, 1, ""), "PROTOCOL_ERROR"},
      {"HEADERS on no stream", request(0), "PROTOCOL_ERROR"},
      {"HEADERS, even", request(8), "PROTOCOL_ERROR"},
      {"HEADERS, padding", frame(kHeaders, 0xC, 7, "\x09" + kRequest), "PROTOCOL_ERROR"},
      {"HEADERS, short", frame(kHeaders, 0x24, 7, kRequest), "FRAME_SIZE_ERROR"},
      {"HEADERS, on itself", frame(kHeaders, 0x24, 7, u32(7) + "\x10" + kRequest),
       "PROTOCOL_ERROR"},
      {"HEADERS, HPACK", frame(kHeaders, 4, 7, "\xFF\xFF\xFF\xFF\xFF\xFF"), "COMPRESSION_ERROR"},
      {"HEADERS, HPACK, closed", frame(kHeaders, 4, 5, "\x80"), "COMPRESSION_ERROR"},
      {"trailers, HPACK", frame(kHeaders, 5, 1, "\x80"), "COMPRESSION_ERROR"},
      {"CONTINUATION of nothing", frame(kContinuation, 4, 1, ""), "PROTOCOL_ERROR"},
      {"CONTINUATION of another", frame(kHeaders, 0, 7, kRequest) + frame(kContinuation, 4, 9, ""),
       "PROTOCOL_ERROR"},
      {"within a block", frame(kHeaders, 0, 7, kRequest) + frame(kData, 0, 1, "x"),
       "PROTOCOL_ERROR"},
      {"extension within a block",
       frame(kHeaders, 0, 7, kRequest) + frame(FrameType{0xBB}, 0, 7, "x"), "PROTOCOL_ERROR"},
      {"a large block", large_block, "ENHANCE_YOUR_CALM"},
      {"PRIORITY, size", frame(FrameType::priority, 0, 1, "1234"), "FRAME_SIZE_ERROR"},
      {"PRIORITY on no stream", frame(FrameType::priority, 0, 0, "12345"), "PROTOCOL_ERROR"},
      {"PRIORITY on itself", frame(FrameType::priority, 0, 3, u32(3) + "1"), "PROTOCOL_ERROR"},
      {"RST_STREAM, size", frame(FrameType::rst_stream, 0, 1, "123"), "FRAME_SIZE_ERROR"},
      {"RST_STREAM on no stream", frame(FrameType::rst_stream, 0, 0, u32(8)), "PROTOCOL_ERROR"},
      {"RST_STREAM, idle", frame(FrameType::rst_stream, 0, 7, u32(8)), "PROTOCOL_ERROR"},
      {"SETTINGS on a stream", frame(FrameType::settings, 0, 1, ""), "PROTOCOL_ERROR"},
      {"SETTINGS, size", settings("12345"), "FRAME_SIZE_ERROR"},
      {"SETTINGS, ack", frame(FrameType::settings, flag::kAck, 0, "123456"), "FRAME_SIZE_ERROR"},
      {"SETTINGS, many", settings(too_many_settings), "ENHANCE_YOUR_CALM"},
      {"window", settings(setting(Setting::initial_window_size, most + 1)), "FLOW_CONTROL_ERROR"},
      {"frame size", settings(setting(Setting::max_frame_size, 16'383)), "PROTOCOL_ERROR"},
      {"frame size, most", settings(setting(Setting::max_frame_size, 1 << 24)), "PROTOCOL_ERROR"},
      {"push", settings(setting(Setting::enable_push, 2)), "PROTOCOL_ERROR"},
      {"priorities", settings(setting(Setting::no_rfc7540_priorities, 2)), "PROTOCOL_ERROR"},
      {"windows together",
       window_update(1, most - kFirstWindow) +
           settings(setting(Setting::initial_window_size, kFirstWindow + 1)),
       "FLOW_CONTROL_ERROR"},
      {"PUSH_PROMISE", frame(FrameType::push_promise, 4, 1, u32(2) + kRequest), "PROTOCOL_ERROR"},
      {"PING, size", frame(FrameType::ping, 0, 0, "1234567"), "FRAME_SIZE_ERROR"},
      {"PING on a stream", frame(FrameType::ping, 0, 1, "12345678"), "PROTOCOL_ERROR"},
      {"GOAWAY, size", frame(FrameType::goaway, 0, 0, "1234567"), "FRAME_SIZE_ERROR"},
      {"GOAWAY on a stream", frame(FrameType::goaway, 0, 1, "12345678"), "PROTOCOL_ERROR"},
      {"WINDOW_UPDATE, size", frame(FrameType::window_update, 0, 0, "123"), "FRAME_SIZE_ERROR"},
      {"WINDOW_UPDATE, 0", window_update(0, 0), "PROTOCOL_ERROR"},
      {"WINDOW_UPDATE, idle", window_update(7, 1), "PROTOCOL_ERROR"},
      {"WINDOW_UPDATE, over", window_update(0, most), "FLOW_CONTROL_ERROR"},
  };
  for (const auto& c : cases) {
    begin();
    EXPECT_FALSE(session->receive(c.bytes)) << c.name;
    EXPECT_THAT(session->error(), StartsWith(c.error)) << c.name;
    EXPECT_FALSE(session->finished()) << c.name << ": GOAWAY is to be written";
    const std::string out = take_output();
    ASSERT_GE(out.size(), 17U) << c.name;
    EXPECT_TRUE(session->finished()) << c.name;
    EXPECT_EQ(streams.size(), 3U) << c.name;
  }
}

TEST_F(FramesTest, ResetTheirStream) {
  const std::string end = frame(kData, flag::kEndStream, 1, "");
  const auto with_length = [](std::uint8_t flags) {
    return request(7, flags, literal("content-length", "2"));
  };
  const struct {
    const char* name;
    std::string bytes;
    std::int32_t id;
    ErrorCode code;
  } cases[] = {
      {"WINDOW_UPDATE, 0", window_update(1, 0), 1, ErrorCode::protocol_error},
      {"WINDOW_UPDATE, over", window_update(1, kMostWindow), 1, ErrorCode::flow_control_error},
      {"DATA after its end", end + frame(kData, 0, 1, "x"), 1, ErrorCode::stream_closed},
      {"trailers after the end", end + frame(kHeaders, 5, 1, literal("a", "b")), 1,
       ErrorCode::stream_closed},
      {"trailers without the end", frame(kHeaders, 4, 1, literal("a", "b")), 1,
       ErrorCode::protocol_error},
      {"trailers with pseudo-headers", request(1, flag::kEndStream), 1, ErrorCode::protocol_error},
      {"malformed", frame(kHeaders, 4, 7, "\x83\x86"), 7, ErrorCode::protocol_error},
      {"malformed, a regular header", request(7, 0, literal("A", "b")), 7,
       ErrorCode::protocol_error},
      {"a body too long", with_length(0) + frame(kData, 0, 7, "xyz"), 7, ErrorCode::protocol_error},
      {"a body too short", with_length(0) + frame(kData, 1, 7, "x"), 7, ErrorCode::protocol_error},
      {"no body", with_length(flag::kEndStream), 7, ErrorCode::protocol_error},
      {"a body too short, then trailers",
       with_length(0) + frame(kData, 0, 7, "x") + frame(kHeaders, 5, 7, literal("a", "b")), 7,
       ErrorCode::protocol_error},
  };
  for (const auto& c : cases) {
    begin();
    EXPECT_TRUE(session->receive(c.bytes)) << c.name << ": " << session->error();
    EXPECT_THAT(resets(), ElementsAre(std::pair(c.id, c.code))) << c.name;
    if (c.id == 1) {
      EXPECT_EQ(stream(1).closed, 1) << c.name;
    }
    EXPECT_EQ(session->open_streams(), c.id == 1 ? 1U : 2U) << c.name;
  }
}

TEST_F(FramesTest, ResetAStreamWithoutCredit) {
  const std::string chunk(16'384, 'x');
  for (int i = 0; i < 64; ++i) session->receive(frame(kData, 0, 1, chunk));
  EXPECT_THAT(resets(), IsEmpty());
  EXPECT_TRUE(session->receive(frame(kData, 0, 1, "")));
  EXPECT_THAT(resets(), IsEmpty());
  EXPECT_TRUE(session->receive(frame(kData, 0, 1, "x")));
  EXPECT_THAT(resets(), ElementsAre(std::pair(1, ErrorCode::flow_control_error)));
  EXPECT_EQ(stream(1).received.size(), limits.stream_window_bytes);
}

TEST_F(FramesTest, TheConnectionsCreditIsGivenBackAtOnce) {
  const std::string chunk(16'384, 'x');
  std::size_t credit = limits.connection_window_bytes;
  for (int i = 0; i < 5'000; ++i) {
    ASSERT_GE(credit, chunk.size()) << i;
    session->receive(frame(kData, 0, 5, chunk));
    credit -= chunk.size();
    const std::string out = take_output();
    if (out.empty()) continue;
    const FrameHeader header = FrameHeader::read(out.data());
    EXPECT_EQ(header.type, FrameType::window_update);
    EXPECT_EQ(header.stream, 0);
    credit += read_u32(out.data() + FrameHeader::kBytes);
  }
}

TEST_F(FramesTest, AreIgnored) {
  const std::string cases[] = {
      frame(FrameType{0xBB}, 0xFF, 1, "extension"),
      frame(FrameType{0xBB}, 0xFF, 99, "extension"),
      settings(setting(Setting{0x99}, 5) + setting(Setting::max_concurrent_streams, 0)),
      frame(FrameType::priority, 0, 99, u32(1) + "\x10"),
      frame(FrameType::priority, 0, 1, u32(3) + "\x10"),
      frame(kData, 0, 5, "closed"),
      frame(kData, flag::kEndStream, 5, "closed"),
      frame(kHeaders, 5, 5, literal("closed", "yes")),
      request(5),
      frame(FrameType::rst_stream, 0, 5, u32(8)),
      window_update(5, 0),
      window_update(5, kMostWindow),
      frame(kData, 0, 1, ""),
      frame(FrameType::goaway, 0, 0, u32(0) + u32(0) + "bye"),
  };
  for (const std::string& bytes : cases) {
    begin();
    EXPECT_TRUE(session->receive(bytes)) << session->error();
    EXPECT_THAT(resets(), IsEmpty());
    EXPECT_EQ(session->open_streams(), 2U);
    EXPECT_EQ(streams.size(), 3U);
    EXPECT_FALSE(session->finished());
  }
}

TEST_F(FramesTest, StreamsOverTheLimitAreRefused) {
  limits.streams_per_connection = 2;
  begin();
  session->receive(request(7));
  session->receive(request(9));
  EXPECT_THAT(resets(), ElementsAre(std::pair(7, ErrorCode::refused_stream),
                                    std::pair(9, ErrorCode::refused_stream)));
  session->receive(frame(FrameType::rst_stream, 0, 1, u32(8)));
  session->receive(request(11));
  EXPECT_THAT(resets(), IsEmpty());
  EXPECT_EQ(session->open_streams(), 2U);
}

TEST_F(FramesTest, APeerMayNotKnowTheLimitYet) {
  limits.streams_per_connection = 2;
  connect();
  session->receive(kPreface);
  session->receive(settings({}));
  for (int i = 0; i < 1'024; ++i) session->receive(request(2 * i + 1));
  EXPECT_THAT(resets(), IsEmpty());
  session->receive(request(2'049));
  EXPECT_THAT(resets(), ElementsAre(std::pair(2'049, ErrorCode::refused_stream)));
  session->receive(frame(FrameType::settings, flag::kAck, 0, {}));
  session->receive(frame(FrameType::rst_stream, 0, 1, u32(8)));
  session->receive(request(2'051));
  EXPECT_THAT(resets(), ElementsAre(std::pair(2'051, ErrorCode::refused_stream)));
}

TEST_F(FramesTest, AConnectionBeginsWithPrefaceAndSettings) {
  for (const std::string& first :
       {request(1), frame(FrameType::ping, 0, 0, "12345678"),
        frame(FrameType::settings, flag::kAck, 0, {}), frame(FrameType{0xBB}, 0, 0, "")}) {
    connect();
    EXPECT_TRUE(session->receive(kPreface));
    EXPECT_FALSE(session->receive(first));
    EXPECT_FALSE(session->established());
    EXPECT_THAT(session->error(), StartsWith("PROTOCOL_ERROR: the first frame"));
  }
  connect();
  EXPECT_TRUE(session->receive(kPreface.substr(0, 10)));
  EXPECT_FALSE(session->receive("no preface"));
}

TEST_F(FramesTest, PaddingIsDroppedAndItsCreditGivenBack) {
  const std::string padding(255, '\0');
  for (int i = 0; i < 5'000; ++i) {
    ASSERT_TRUE(session->receive(frame(kData, flag::kPadded, 1, "\xFFx" + padding)));
    ASSERT_THAT(resets(), IsEmpty()) << i;
    session->give_credit(stream(1), 1);
  }
  EXPECT_EQ(stream(1).received, std::string(5'000, 'x'));
  session->receive(frame(kHeaders, 0xC, 7, "\x02" + kRequest + "pp"));
  EXPECT_EQ(told_headers.size(), 3U);
}

TEST_F(FramesTest, AHeaderBlockInPieces) {
  session->receive(frame(kHeaders, flag::kEndStream, 7, kRequest.substr(0, 2)));
  session->receive(frame(kContinuation, 0, 7, ""));
  session->receive(frame(kContinuation, 0, 7, kRequest.substr(2) + literal("a", "b").substr(0, 2)));
  EXPECT_EQ(streams.size(), 3U);
  session->receive(frame(kContinuation, flag::kEndHeaders, 7, literal("a", "b").substr(2)));
  ASSERT_EQ(streams.size(), 4U);
  EXPECT_EQ(told_headers.back(), std::pair("a" + std::string(), "b" + std::string()));
  EXPECT_TRUE(stream(7).ended);
}

TEST_F(FramesTest, ARequestIsTheSameAsTheOneBeforeOnly) {
  const std::string a = literal("a", "1");
  const auto count_same = [&](std::initializer_list<std::string> frames) {
    const int before = same_requests;
    for (const std::string& bytes : frames) session->receive(bytes);
    EXPECT_EQ(session->error(), "");
    return same_requests - before;
  };
  EXPECT_EQ(count_same({request(7, 0, a), request(9, 0, a), request(11, 0, a)}), 2);
  EXPECT_EQ(count_same({request(13), request(15, 0, a)}), 0);
  const std::string malformed = literal("A", "1");
  EXPECT_EQ(count_same({request(17, 0, malformed), request(19, 0, a)}), 0);
  EXPECT_EQ(count_same({request(21, 0, a)}), 1);
  // Neither trailers nor what is skipped is told to the handler.
  EXPECT_EQ(count_same({frame(kHeaders, 5, 21, literal("b", "2")), request(5, 0, literal("c", "3")),
                        request(23, 0, a)}),
            1);
}

TEST_F(FramesTest, HeadersWithAPriority) {
  session->receive(frame(kHeaders, 0x24, 7, u32(0x8000'0001) + "\x10" + kRequest));
  EXPECT_EQ(streams.size(), 4U);
  EXPECT_EQ(told_headers.size(), 3U);
}

TEST_F(FramesTest, AWindowThatShrinksHoldsTheBody) {
  const Header ok[] = {constant_header(":status", "200")};
  session->send_headers(stream(1), ok);
  session->receive(settings(setting(Setting::initial_window_size, 1'000)));
  stream(1).output = std::string(5'000, 'y');
  session->send_body(stream(1));
  take_output();
  EXPECT_EQ(stream(1).output.size(), 4'000U);
  EXPECT_FALSE(session->wants_write());

  // To 500 below nothing, and back.
  session->receive(settings(setting(Setting::initial_window_size, 500)));
  session->receive(window_update(1, 500));
  take_output();
  EXPECT_EQ(stream(1).output.size(), 4'000U);
  session->receive(window_update(1, 1));
  take_output();
  EXPECT_EQ(stream(1).output.size(), 3'999U);
  session->receive(settings(setting(Setting::initial_window_size, 2'500)));
  take_output();
  EXPECT_EQ(stream(1).output.size(), 1'999U);

  // Asked for, and then without a window before it is written.
  session->receive(window_update(1, 100));
  session->receive(settings(setting(Setting::initial_window_size, 0)));
  take_output();
  EXPECT_EQ(stream(1).output.size(), 1'999U);
  session->receive(window_update(1, 10'000));
  take_output();
  EXPECT_EQ(stream(1).output.size(), 0U);
}

TEST_F(FramesTest, AStreamMayBeResetWhileItHasMuchToSend) {
  const Header ok[] = {constant_header(":status", "200")};
  for (const int id : {1, 3}) {
    session->send_headers(stream(id), ok);
    stream(id).output = std::string(30'000, 'y');
    session->send_body(stream(id));
  }
  session->receive(frame(FrameType::rst_stream, 0, 1, u32(8)));
  take_output();
  EXPECT_EQ(stream(1).closed, 1);
  EXPECT_EQ(stream(1).output.size(), 30'000U);
  EXPECT_EQ(stream(3).output.size(), 0U);

  // And after its end, before that is taken.
  session->send_trailers(stream(3), ok);
  session->receive(frame(FrameType::rst_stream, 0, 3, u32(8)));
  take_output();
  EXPECT_EQ(stream(3).closed, 1);
  EXPECT_FALSE(stream(3).end_sent);
  EXPECT_EQ(session->open_streams(), 0U);
}

TEST_F(FramesTest, APeerThatGoesAwayIsServedToItsEnd) {
  const Header ok[] = {constant_header(":status", "200")};
  session->receive(frame(FrameType::goaway, 0, 0, u32(0) + u32(0)));
  for (const int id : {1, 3}) {
    EXPECT_FALSE(session->finished());
    session->send_trailers(stream(id), ok);
    take_output();
  }
  EXPECT_TRUE(session->finished());
}

}  // namespace
}  // namespace extproc::http2::testing
