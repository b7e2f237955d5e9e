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

}  // namespace
}  // namespace extproc::http2::testing
