#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/context.h"
#include "stream/reply_sink.h"
#include "testing/response_reader.h"

namespace extproc::stream {

/// Keeps what a stream sends.
class RecordingSink final : public ReplySink, public detail::CallInfo {
 public:
  std::string& begin_message() override {
    answer_.clear();
    return answer_;
  }
  void end_message() override { answers.push_back(testing::read_response(answer_)); }
  void finish(GrpcStatus with, std::string_view text) override {
    finished = true;
    status = with;
    message = text;
  }
  bool congested() const override { return is_congested; }
  void wake_at(std::optional<std::chrono::steady_clock::time_point> time) override {
    wake_time = time;
  }
  void pause() override { paused = true; }
  void resume() override { paused = false; }
  void released() override { ++releases; }

  std::string_view peer() const override { return "10.0.0.1:1"; }
  std::optional<std::chrono::steady_clock::time_point> deadline() const override {
    return std::nullopt;
  }
  std::size_t metadata_size() const override { return 1; }
  std::pair<std::string_view, std::string_view> metadata_at(std::size_t) const override {
    return {"x-key", "value"};
  }

  std::vector<testing::ProcessingResponse> answers;
  bool finished = false;
  GrpcStatus status = GrpcStatus::ok;
  std::string message;
  bool paused = false;
  bool is_congested = false;
  std::optional<std::chrono::steady_clock::time_point> wake_time;
  int releases = 0;

 private:
  std::string answer_;
};

}  // namespace extproc::stream
