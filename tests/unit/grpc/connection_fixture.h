#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/limits.h"
#include "grpc/connection.h"
#include "grpc/fake_service.h"
#include "http2/client_peer.h"

namespace extproc::grpc::testing {

using http2::testing::ClientOptions;
using http2::testing::ClientPeer;
using http2::testing::ClientStream;
using http2::testing::frame;
using http2::testing::Headers;

/// A connection and its client, with time that stands still until a test moves it.
class ConnectionTest : public ::testing::Test {
 protected:
  void connect(ClientOptions options = {}) {
    client = std::make_unique<ClientPeer>(options);
    connection = std::make_unique<Connection>(limits, services, deadlines, buffers,
                                              "127.0.0.1:1234", [this] { ++output_calls; });
    talk();
  }

  void talk() {
    http2::testing::exchange(
        *client, [this](std::string_view bytes) { connection->receive(bytes, now); },
        [this](std::string& out) { out += take_output(std::size_t{1} << 20); }, piece);
  }

  std::string take_output(std::size_t max) {
    http2::Output out;
    connection->take_output(out, max);
    std::string text;
    out.copy_to(text);
    return text;
  }

  /// A call to the fake service that sends `messages`, and has been talked about.
  std::int32_t call(const std::vector<std::string>& messages = {}, bool end_stream = false,
                    const Headers& extra = {}) {
    const std::int32_t id = client->open_call(FakeService::kPath, extra);
    for (const std::string& message : messages) client->send_message(id, message);
    if (end_stream) client->end(id);
    talk();
    return id;
  }

  void pass(std::chrono::milliseconds time) {
    now += time;
    deadlines.expire(now);
    talk();
  }

  static void echo(FakeHandler& handler, std::string_view message) { handler.send(message); }
  static void finish_ok(FakeHandler& handler) { handler.call.finish(GrpcStatus::ok); }

  Limits limits;
  FakeService service;
  std::vector<GrpcService*> services{&service};
  DeadlineWheel deadlines;
  BufferPool buffers;
  Clock::time_point now{std::chrono::hours(100)};
  std::size_t piece = std::size_t{64} << 10;
  int output_calls = 0;
  std::unique_ptr<ClientPeer> client;
  std::unique_ptr<Connection> connection;
};

}  // namespace extproc::grpc::testing
