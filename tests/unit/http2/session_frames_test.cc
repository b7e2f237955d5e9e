// Frames as few peers send them, and those that are ignored: what the session makes of them.
#include <gmock/gmock.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "http2/raw_frames.h"

namespace extproc::http2::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

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
