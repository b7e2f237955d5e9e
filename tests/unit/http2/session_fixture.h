#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "extproc/limits.h"
#include "http2/client_peer.h"
#include "http2/session.h"

namespace extproc::http2::testing {

/// Keeps what it hears, and sends what a test has put into `output`.
struct FakeStream final : Stream {
  void on_data(std::string_view chunk) noexcept override { received += chunk; }
  void on_end_stream() noexcept override { ended = true; }
  void on_end_sent() noexcept override { end_sent = true; }
  void on_stream_closed() noexcept override { ++closed; }
  Waiting prepare_output(std::size_t max) noexcept override {
    return output.size() > max ? Waiting{max, false} : Waiting{output.size(), true};
  }
  void write_output(Output& out, std::size_t bytes) noexcept override {
    out.append(std::string_view(output).substr(0, bytes));
    output.erase(0, bytes);
  }

  std::string received;
  std::string output;
  bool ended = false;
  bool end_sent = false;
  int closed = 0;
};

/// A session and a client on nghttp2, which open streams 1, 3, 5 and so on.
class SessionTest : public ::testing::Test, public SessionHandler {
 protected:
  static constexpr std::size_t kAll = std::size_t{1} << 20;

  void on_request_begin() noexcept override { headers.clear(); }
  void on_request_header(std::string_view name, std::string_view value) noexcept override {
    headers.emplace_back(name, value);
  }
  void on_request() noexcept override {
    told_headers = headers;
    begin();
  }
  void on_same_request() noexcept override {
    ++same_requests;
    begin();
  }

  void connect() { session = std::make_unique<Session>(limits, *this); }

  void talk() {
    exchange(
        client, [this](std::string_view bytes) { session->receive(bytes); },
        [this](std::string& out) { out += take_output(); }, piece);
  }

  std::string take_output() {
    Output out;
    session->take_output(out, kAll);
    std::string text;
    out.copy_to(text);
    return text;
  }

  FakeStream& stream(std::int32_t id) { return *streams.at(static_cast<std::size_t>(id / 2)); }

  Limits limits;
  bool refuses = false;
  Headers headers;
  /// Of the request that on_request told of last.
  Headers told_headers;
  int same_requests = 0;
  std::vector<std::unique_ptr<FakeStream>> streams;
  std::size_t piece = std::size_t{64} << 10;
  ClientPeer client;
  std::unique_ptr<Session> session = std::make_unique<Session>(limits, *this);

 private:
  void begin() {
    const Header ok[] = {constant_header(":status", "200")};
    streams.push_back(std::make_unique<FakeStream>());
    if (refuses) {
      session->refuse(ok);
    } else {
      session->accept(*streams.back());
    }
  }
};

}  // namespace extproc::http2::testing
