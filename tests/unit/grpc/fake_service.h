#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grpc/call.h"

namespace extproc::grpc::testing {

/// What one call's handler has heard, and what it does about it.
struct FakeHandler final : CallHandler {
  explicit FakeHandler(Call& the_call) : call(the_call) {}

  void on_message(std::string_view message) noexcept override {
    messages.emplace_back(message);
    if (act_on_message) act_on_message(*this, message);
  }
  void on_half_close() noexcept override {
    ++half_closes;
    if (act_on_half_close) act_on_half_close(*this);
  }
  void on_writable() noexcept override {
    ++writables;
    if (act_on_writable) act_on_writable(*this);
  }
  void on_closed(CloseReason reason) noexcept override {
    ++closes;
    close_reason = reason;
  }

  void send(std::string_view message) {
    call.begin_message() += message;
    call.end_message();
  }

  Call& call;
  std::vector<std::string> messages;
  int half_closes = 0;
  int writables = 0;
  int closes = 0;
  std::optional<CloseReason> close_reason;
  std::function<void(FakeHandler&, std::string_view)> act_on_message;
  std::function<void(FakeHandler&)> act_on_half_close;
  std::function<void(FakeHandler&)> act_on_writable;
};

/// Answers "/test.Test/Call"; keeps every handler, so that a test can look at it after its call.
struct FakeService final : GrpcService {
  static constexpr std::string_view kPath = "/test.Test/Call";

  CallHandler* start(std::string_view path, Call& call) override {
    if (path != kPath) return nullptr;
    auto handler = std::make_unique<FakeHandler>(call);
    handler->act_on_message = act_on_message;
    handler->act_on_half_close = act_on_half_close;
    if (act_on_start) act_on_start(*handler);
    handlers.push_back(std::move(handler));
    return handlers.back().get();
  }

  FakeHandler& handler(std::size_t index = 0) { return *handlers.at(index); }

  std::deque<std::unique_ptr<FakeHandler>> handlers;
  std::function<void(FakeHandler&)> act_on_start;
  std::function<void(FakeHandler&, std::string_view)> act_on_message;
  std::function<void(FakeHandler&)> act_on_half_close;
};

}  // namespace extproc::grpc::testing
