// What a connection keeps once the rare case is over that it needed much for.
#include <gmock/gmock.h>

#include <string>

#include "http2/live_bytes.h"
#include "http2/raw_frames.h"

namespace extproc::http2::testing {
namespace {

using extproc::testing::live_bytes;

class SessionMemoryTest : public FramesTest {
 protected:
  /// What is kept of all that `use` has needed.
  template <class Use>
  static std::size_t kept_of(const Use& use) {
    const std::size_t before = live_bytes();
    use();
    const std::size_t after = live_bytes();
    return after > before ? after - before : 0;
  }
};

TEST_F(SessionMemoryTest, OfALargeFrameThatWasCut) {
  const std::string large = frame(FrameType{0x77}, 0, 0, std::string(16'384, 'x'));
  EXPECT_LT(kept_of([&] {
              session->receive(std::string_view(large).substr(0, 9'000));
              session->receive(std::string_view(large).substr(9'000));
            }),
            1'000U);
  // A small one is cut often, and has memory for the next.
  const std::string small = frame(FrameType{0x77}, 0, 0, std::string(1'000, 'x'));
  EXPECT_GT(kept_of([&] {
              session->receive(std::string_view(small).substr(0, 500));
              session->receive(std::string_view(small).substr(500));
            }),
            500U);
}

TEST_F(SessionMemoryTest, OfManyFramesThatWaitedForTheirReader) {
  EXPECT_LT(kept_of([&] {
              for (int i = 0; i < 10'000; ++i)
                session->receive(frame(FrameType::ping, 0, 0, "12345678"));
              take_output();
            }),
            5'000U);
}

TEST_F(SessionMemoryTest, OfALongHeaderBlock) {
  EXPECT_LT(kept_of([&] {
              std::string block = kRequest;
              for (int i = 0; i < 600; ++i) block += literal("x", std::string(100, 'v'));
              // Of a stream that is closed, so that nobody keeps the headers.
              session->receive(frame(kHeaders, 0, 5, block.substr(0, 16'000)));
              for (std::size_t at = 16'000; at < block.size(); at += 16'000)
                session->receive(frame(kContinuation, at + 16'000 < block.size() ? 0 : 4, 5,
                                       block.substr(at, 16'000)));
              EXPECT_EQ(session->error(), "");
            }),
            5'000U);
}

TEST_F(SessionMemoryTest, OfManyStreamsUntilItIsGivenBack) {
  const auto reset = [&](std::int32_t id) {
    session->receive(frame(FrameType::rst_stream, 0, id, u32(8)));
  };
  reset(1);
  reset(3);
  streams.reserve(1'000);
  const auto open_many = [&](std::int32_t first) {
    for (int i = 0; i < 800; ++i) session->receive(request(first + 2 * i));
    for (int i = 0; i < 800; ++i) reset(first + 2 * i);
    streams.clear();
  };
  EXPECT_GT(kept_of([&] { open_many(7); }), 10'000U);
  EXPECT_EQ(kept_of([&] {
              open_many(2'001);
              session->give_back();
            }),
            0U);
  open_many(4'001);
  EXPECT_EQ(session->error(), "");
}

TEST_F(SessionMemoryTest, AfterWhichTheSameRequestIsReadAnew) {
  session->receive(request(7));
  session->receive(frame(FrameType::rst_stream, 0, 7, u32(8)));
  const int before = same_requests;
  for (const int id : {1, 3}) session->receive(frame(FrameType::rst_stream, 0, id, u32(8)));
  session->give_back();
  session->receive(request(9));
  EXPECT_EQ(same_requests, before);
  EXPECT_EQ(told_headers.size(), 3U);
}

}  // namespace
}  // namespace extproc::http2::testing
