#include "connection_under_test.h"

#include "check.h"

namespace extproc::fuzz {
namespace {

constexpr std::size_t kOutputAtOnce = 16'384;

Limits limits_of(std::uint8_t mode) {
  Limits limits;
  limits.message_bytes = 64 << 10;
  limits.buffered_bytes_per_connection = 1 << 20;
  if ((mode & 4) != 0) {
    limits.message_bytes = 256;
    limits.streams_per_connection = 3;
    limits.header_list_bytes = 1024;
    limits.stream_window_bytes = 512;
    limits.queued_bytes_per_stream = 256;
    limits.buffered_bytes_per_connection = 2048;
    limits.owed_resets_burst = 4;
    limits.owed_resets_per_second = 1;
  }
  return limits;
}

}  // namespace

ConnectionUnderTest::ConnectionUnderTest(std::uint8_t mode)
    : shuts_down_((mode & 2) != 0),
      limits_(limits_of(mode)),
      service_((mode & 16) != 0  ? Style::streaming
               : (mode & 1) != 0 ? Style::suspending
                                 : Style::plain),
      process_(service_.host(), deadlines_, memory_) {
  connection_.emplace(limits_, services_, deadlines_, buffers_, "127.0.0.1:1", [] {});
}

ConnectionUnderTest::~ConnectionUnderTest() {
  connection_.reset();
  service_.run_suspended();
  check(process_.calls() == 0, "no call outlives its connection and its handler");
  check(deadlines_.empty(), "no deadline outlives its call");
  check(held_.value() == 0, "what was counted is given back to the byte");
}

bool ConnectionUnderTest::receive(std::string_view bytes) {
  received_ += bytes.size();
  const bool open = connection_->receive(bytes, now_);
  if (!open) check(!connection_->error().empty(), "a connection that is to be closed says why");
  if (shuts_down_) shut_down_by_and_by();
  return open && !connection_->finished();
}

std::string ConnectionUnderTest::take_output() {
  http2::Output output;
  std::size_t before = 0;
  do {
    before = output.size();
    connection_->take_output(output, kOutputAtOnce);
  } while (output.size() - before >= kOutputAtOnce);
  std::string bytes;
  output.copy_to(bytes);
  return bytes;
}

void ConnectionUnderTest::pass(std::chrono::milliseconds time) {
  now_ += time;
  deadlines_.expire(now_);
  service_.run_suspended();
}

void ConnectionUnderTest::shut_down_by_and_by() {
  if (received_ > 200) {
    health_.set_serving(false);
    health_.end_watches();
    connection_->begin_shutdown();
  }
  if (received_ > 400) connection_->finish_shutdown();
  if (received_ > 800) connection_->end_all(GrpcStatus::unavailable, "shutting down");
}

}  // namespace extproc::fuzz
