// Frames that no peer may send: whether they end the connection or their stream, and how.
#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "http2/raw_frames.h"

namespace extproc::http2::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

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
      {"windows together, for a moment",
       window_update(1, most - kFirstWindow) +
           settings(setting(Setting::initial_window_size, kFirstWindow + 1) +
                    setting(Setting::initial_window_size, kFirstWindow)),
       "FLOW_CONTROL_ERROR"},
      {"window, for a moment",
       settings(setting(Setting::initial_window_size, most + 1) +
                setting(Setting::initial_window_size, kFirstWindow)),
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

}  // namespace
}  // namespace extproc::http2::testing
