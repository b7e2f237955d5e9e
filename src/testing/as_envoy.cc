#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "envoy/kit/reply.h"
#include "extproc/context.h"
#include "extproc/testing.h"
#include "testing/local_stream.h"
#include "testing/request_writer.h"
#include "testing/response_reader.h"

namespace extproc::testing {
namespace {

struct Message {
  Phase phase;
  std::string bytes;
};

// The messages that Envoy would send for the phases, in its order.
std::deque<Message> write_messages(const Phases& phases, const StreamOptions& options) {
  const auto mode = [](const std::optional<EnvoyBody>& body) {
    if (!body) return BodySendMode::none;
    return body->chunks.size() > 1 ? BodySendMode::streamed : BodySendMode::buffered;
  };
  const ProtocolConfiguration config{mode(phases.request_body), mode(phases.response_body), false};

  std::deque<Message> messages;
  const auto extras = [&] {
    const bool first = messages.empty() && !options.observability_mode;
    return MessageExtras{.observability_mode = options.observability_mode,
                         .protocol_config = first ? &config : nullptr};
  };
  const auto direction = [&](Phase headers_phase, Phase body_phase, Phase trailers_phase,
                             const auto& headers, const auto& body, const auto& trailers) {
    if (headers)
      messages.push_back({headers_phase, write_headers(headers_phase, headers->entries,
                                                       !body && !trailers, extras())});
    if (body) {
      for (std::size_t i = 0; i < body->chunks.size(); ++i) {
        const bool last = i + 1 == body->chunks.size() && !trailers;
        messages.push_back({body_phase, write_body(body_phase, body->chunks[i], last, extras())});
      }
    }
    if (trailers)
      messages.push_back({trailers_phase, write_trailers(trailers_phase, *trailers, extras())});
  };
  direction(Phase::request_headers, Phase::request_body, Phase::request_trailers,
            phases.request_headers, phases.request_body, phases.request_trailers);
  direction(Phase::response_headers, Phase::response_body, Phase::response_trailers,
            phases.response_headers, phases.response_body, phases.response_trailers);
  return messages;
}

/// Envoy's end of one stream.
class Peer final : private LocalStream {
 public:
  Peer(const Service& processor, const Phases& phases, const StreamOptions& options)
      : LocalStream(processor, {.log =
                                    [this](LogLevel level, std::string_view message) {
                                      result_.log.push_back(std::string(to_string(level)) + ": " +
                                                            std::string(message));
                                    },
                                .chain_header = options.applied_header,
                                .filter = options.filter,
                                .on_violation =
                                    [this](Violation violation) {
                                      result_.violations.push_back(std::move(violation));
                                    }}),
        options_(options),
        messages_(write_messages(phases, options)) {}

  ProcessResult run() {
    begin();
    deliver();
    // What is left to wait for is suspended handlers.
    const auto work = boost::asio::make_work_guard(io());
    while (!over()) io().run_one();
    loop().blocking.join();
    return std::move(result_);
  }

 private:
  void deliver() {
    if (std::exchange(delivering_, true)) return;
    while (!paused() && !ended() && (options_.observability_mode || answered_ >= sent_)) {
      if (messages_.empty()) {
        if (!std::exchange(half_closed_, true)) half_close();
        break;
      }
      const std::string message = std::move(messages_.front().bytes);
      messages_.pop_front();
      ++sent_;
      send(message);
      if (sent_ == options_.reset_after) end(GrpcStatus::cancelled, true);
    }
    delivering_ = false;
  }

  void on_answer(const std::string& message) override {
    envoy::Reply reply = envoy::read_reply(message);
    // Neither of the two answers a message.
    if (reply.override_message_timeout)
      return result_.time_extensions.push_back(*reply.override_message_timeout);
    if (reply.kind == envoy::Reply::Kind::streamed_immediate)
      return take_piece(std::move(reply.streamed));
    ProcessingResponse response = to_response(std::move(reply));
    if (response.continue_and_replace && response.phase) {
      // Envoy sends no more of that direction.
      std::erase_if(messages_, [&](const Message& waiting) {
        return is_request_phase(waiting.phase) == is_request_phase(*response.phase);
      });
    }
    result_.responses.push_back(std::move(response));
    ++answered_;
    // Not from inside of the stream, which may have more to say.
    if (!delivering_) boost::asio::post(io(), [this] { deliver(); });
  }
  void take_piece(envoy::StreamedImmediateReply piece) {
    using Part = envoy::StreamedImmediateReply::Part;
    if (!result_.streamed_response) result_.streamed_response.emplace();
    StreamedResult& streamed = *result_.streamed_response;
    if (piece.part == Part::headers) streamed.headers = std::move(piece.headers);
    if (piece.part == Part::body && !piece.body.empty())
      streamed.chunks.push_back(std::move(piece.body));
    if (piece.part == Part::trailers) streamed.trailers = std::move(piece.headers);
    streamed.complete = piece.end_of_stream || piece.part == Part::trailers;
  }
  void on_end(GrpcStatus status, std::string_view message) override {
    result_.status = status;
    result_.status_message = message;
  }
  void on_resume() override { deliver(); }

  std::string_view peer() const override { return options_.peer; }
  const PeerCertificate* peer_certificate() const override {
    return options_.peer_certificate ? &*options_.peer_certificate : nullptr;
  }
  std::optional<std::chrono::steady_clock::time_point> deadline() const override {
    return options_.deadline;
  }
  std::size_t metadata_size() const override { return options_.metadata.size(); }
  std::pair<std::string_view, std::string_view> metadata_at(std::size_t index) const override {
    return options_.metadata[index];
  }

  const StreamOptions& options_;
  std::deque<Message> messages_;
  ProcessResult result_;
  std::size_t sent_ = 0;
  std::size_t answered_ = 0;
  bool delivering_ = false;
  bool half_closed_ = false;
};

}  // namespace

ProcessResult AsEnvoyExtProc::process(const Service& processor) const {
  return Peer(processor, phases_, options_).run();
}

}  // namespace extproc::testing
