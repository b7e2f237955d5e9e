// What a peer may do as often as it likes, and what it may not; how long it may take.
#include <gmock/gmock.h>

#include <chrono>
#include <string>

#include "http2/raw_frames.h"

namespace extproc::http2::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::StartsWith;

class SessionLimitsTest : public FramesTest {
 protected:
  bool receive(std::string_view bytes) {
    const bool going_on = session->receive(bytes, now);
    take_output();
    return going_on;
  }

  static std::string windows(std::initializer_list<std::uint32_t> values) {
    std::string entries;
    for (const std::uint32_t value : values)
      entries += setting(Setting::initial_window_size, value);
    return settings(entries);
  }

  Session::Clock::time_point now{1h};
};

TEST_F(SessionLimitsTest, TheLastWindowOfAFrameCounts) {
  const Header ok[] = {constant_header(":status", "200")};
  session->send_headers(stream(1), ok);
  stream(1).output = std::string(5'000, 'y');
  EXPECT_TRUE(receive(windows({0, 70'000, 1'000})));
  session->send_body(stream(1));
  take_output();
  EXPECT_EQ(stream(1).output.size(), 4'000U);
  EXPECT_TRUE(receive(windows({9'000, 1'000})));
  EXPECT_EQ(stream(1).output.size(), 4'000U);
}

TEST_F(SessionLimitsTest, WindowsOfOpenStreamsChangeAtARate) {
  // A frame counts once, whatever it has.
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(receive(windows({1, 2, 3, 4, 5, 6, 7, 8, 9, 1'000}))) << i;
    ASSERT_TRUE(receive(windows({2'000}))) << i;
  }
  now += 1s;
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(receive(windows({i}))) << i;
  // What is said again changes nothing.
  EXPECT_TRUE(receive(windows({9, 9})));
  EXPECT_FALSE(receive(windows({10})));
  EXPECT_THAT(session->error(), StartsWith("ENHANCE_YOUR_CALM"));
}

TEST_F(SessionLimitsTest, WithoutStreamsWindowsChangeAsOftenAsThePeerLikes) {
  for (const int id : {1, 3}) receive(frame(FrameType::rst_stream, 0, id, u32(8)));
  for (std::uint32_t i = 0; i < 10'000; ++i) ASSERT_TRUE(receive(windows({i}))) << i;
  // And count for streams that come.
  receive(request(7));
  const Header ok[] = {constant_header(":status", "200")};
  FakeStream& last = *streams.back();
  session->send_headers(last, ok);
  last.output = std::string(10'000, 'y');
  session->send_body(last);
  take_output();
  EXPECT_EQ(last.output.size(), 1U);
}

TEST_F(SessionLimitsTest, KnowsSinceWhenAFrameIsIncomplete) {
  const std::string ping = frame(FrameType::ping, 0, 0, "12345678");
  receive(ping);
  EXPECT_EQ(session->incomplete_since(), std::nullopt);
  now += 1h;
  const auto begun = now;
  receive(ping + ping.substr(0, 5));
  EXPECT_EQ(session->incomplete_since(), begun);
  now += 1s;
  receive(ping.substr(5, 6));
  EXPECT_EQ(session->incomplete_since(), begun);
  now += 1s;
  // That one ends, and another begins.
  receive(ping.substr(11) + ping.substr(0, 1));
  EXPECT_EQ(session->incomplete_since(), now);
  now += 1s;
  receive(ping.substr(1));
  EXPECT_EQ(session->incomplete_since(), std::nullopt);
}

TEST_F(SessionLimitsTest, KnowsSinceWhenAHeaderBlockIsIncomplete) {
  const auto begun = now;
  receive(frame(kHeaders, 0, 7, kRequest));
  EXPECT_EQ(session->incomplete_since(), begun);
  // Whole frames that do not end it change nothing.
  for (int i = 0; i < 3; ++i) {
    now += 1s;
    receive(frame(kContinuation, 0, 7, ""));
    EXPECT_EQ(session->incomplete_since(), begun);
  }
  receive(frame(kContinuation, flag::kEndHeaders, 7, ""));
  EXPECT_EQ(session->incomplete_since(), std::nullopt);
  EXPECT_EQ(streams.size(), 4U);
}

TEST_F(SessionLimitsTest, KnowsWhetherAnswersAreTaken) {
  const Header ok[] = {constant_header(":status", "200")};
  EXPECT_FALSE(session->bodies_wait());
  session->send_headers(stream(1), ok);
  stream(1).output = std::string(kFirstWindow + 1, 'y');
  session->send_body(stream(1));
  take_output();
  EXPECT_TRUE(session->bodies_wait());
  // What is answered to frames is no answer to requests.
  const std::uint64_t before = session->progress();
  receive(frame(FrameType::ping, 0, 0, "12345678"));
  receive(settings(setting(Setting::max_frame_size, 16'384)));
  EXPECT_EQ(session->progress(), before);
  // Another stream's is.
  session->send_trailers(stream(3), ok);
  take_output();
  EXPECT_NE(session->progress(), before);
  const std::uint64_t after = session->progress();
  receive(window_update(0, 1) + window_update(1, 1));
  EXPECT_NE(session->progress(), after);
  EXPECT_FALSE(session->bodies_wait());
}

}  // namespace
}  // namespace extproc::http2::testing
