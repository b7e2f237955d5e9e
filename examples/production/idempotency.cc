#include <extproc/async.h>
#include <extproc/metrics.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../sha256.h"
#include "idempotency_store.h"

namespace {

using namespace std::chrono_literals;

/// Has a request with an `idempotency-key` done once: who sends it again gets the answer of the
/// first time, byte for byte. Meanwhile it is a 409, and the same key for something else a 422.
/// Answers of 500 and more are not kept, so that such a request can be tried again.
class Idempotency final : public extproc::AsyncProcessor {
 public:
  explicit Idempotency(const extproc::OwnSettings& settings)
      : methods_(settings.get_or<std::vector<std::string>>("methods", {"POST", "PATCH"})),
        scope_(settings.get_or<std::vector<std::string>>("scope", {})),
        required_(settings.get_or("required", false)),
        refuses_without_store_(settings.get_or("refuse_without_store", true)),
        wait_(settings.get_or<std::chrono::milliseconds>("wait", 500ms)),
        time_(settings.get_or<std::chrono::milliseconds>("keep", 24h)),
        in_flight_(settings.get_or<std::chrono::milliseconds>("in_flight", 60s)),
        most_bytes_(settings.get_or("largest", extproc::ByteSize{1 << 20}).bytes),
        store_(make_store(settings, wait_)) {}

  extproc::Task<> process_request_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                                          extproc::Request& request,
                                          extproc::HeadersResponse& response) override {
    const auto key = headers.value("idempotency-key");
    const bool counts = std::ranges::find(methods_, request.method()) != methods_.end();
    if (!counts || (!key && !required_)) {
      constexpr auto kNone = extproc::BodySendMode::none;
      response.override_mode({.request_body_mode = kNone, .response_body_mode = kNone});
      co_return;
    }
    if (!key || key->empty() || key->size() > kMostKeyBytes) {
      response.respond({.status = 400, .body = "idempotency-key must have 1 to 255 bytes\n"});
      co_return;
    }
    Call& call = request.state<Call>();
    // No two callers share a key.
    std::string whose(headers.value(":authority").value_or(""));
    for (const std::string& name : scope_) {
      whose.append("\n").append(headers.value(name).value_or(""));
    }
    call.key = "idempotency:" + sha256(whose.append("\n").append(*key));
    if (headers.end_of_stream()) co_await begin(call, request, "", response);
  }

  extproc::Task<> process_request_body(const extproc::HttpBody& body, extproc::Context&,
                                       extproc::Request& request,
                                       extproc::BodyResponse& response) override {
    Call& call = request.state<Call>();
    if (!call.key.empty()) co_await begin(call, request, body.bytes(), response);
  }

  extproc::Task<> process_response_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                                           extproc::Request& request,
                                           extproc::HeadersResponse&) override {
    Call& call = request.state<Call>();
    if (!call.is_owner) co_return;
    const std::string status(headers.value(":status").value_or(""));
    call.answer = status + "\r\n";
    for (const auto& [name, value] : headers) {
      if (is_kept(name)) call.answer.append(name).append(": ").append(value).append("\r\n");
    }
    call.answer.append("\r\n");
    call.failed = status >= "500";
    if (headers.end_of_stream()) co_await end(call);
  }

  extproc::Task<> stream_response_body(extproc::BodyStream& body, extproc::Context&,
                                       extproc::Request& request) override {
    Call& call = request.state<Call>();
    while (auto chunk = co_await body.read()) {
      if (call.is_owner && call.answer.size() <= most_bytes_) call.answer.append(chunk->bytes());
      // Before the caller has all of it, and asks again. A body that was cut has no such chunk.
      if (chunk->end_of_stream()) co_await end(call);
      body.write(chunk->bytes());
    }
  }

  extproc::Task<> process_response_trailers(const extproc::HttpTrailers&, extproc::Context&,
                                            extproc::Request& request,
                                            extproc::TrailersResponse&) override {
    co_await end(request.state<Call>());
  }

  extproc::Needs needs() const override {
    return {.request_body_mode = extproc::BodySendMode::buffered,
            .response_body_mode = extproc::BodySendMode::streamed,
            .mode_override = true,
            .message_timeout = 2 * wait_ + 500ms};
  }

 private:
  static constexpr std::size_t kMostKeyBytes = 255;

  /// Of one request.
  struct Call {
    std::string key;
    /// Of what is asked: the same key is for the same request.
    std::string fingerprint;
    /// What is stored while it is under way. What is stored has a word and the fingerprint in
    /// front.
    std::string owner;
    bool is_owner = false;
    bool failed = false;
    std::string answer;
  };

  static std::unique_ptr<IdempotencyStore> make_store(const extproc::OwnSettings& settings,
                                                      std::chrono::milliseconds wait) {
    if (const auto url = settings.find<std::string>("redis")) return make_redis_store(*url, wait);
    return make_memory_store(settings.get_or("memory", extproc::ByteSize{64 << 20}).bytes);
  }

  /// What belongs to one way of sending it, or to one moment, is not part of it.
  static bool is_kept(std::string_view name) {
    constexpr std::string_view kNot[] = {"connection", "content-length", "date",
                                         "keep-alive", "server",         "transfer-encoding"};
    return !name.starts_with(':') && !name.starts_with("x-envoy-") &&
           std::ranges::find(kNot, name) == std::end(kNot);
  }

  extproc::Task<> begin(Call& call, const extproc::Request& request, std::string_view body,
                        extproc::PhaseResponse& response) {
    std::string asked(request.method());
    call.fingerprint = sha256(asked.append(" ").append(request.path()).append("\n").append(body));
    std::random_device random;
    call.owner = "working " + call.fingerprint + " " + std::to_string(random()) + "." +
                 std::to_string(random());
    std::optional<std::string> known;
    try {
      known = co_await store_->take(call.key, call.owner, in_flight_);
    } catch (const std::runtime_error&) {
      failures_.add();
      if (refuses_without_store_) {
        response.respond({.status = 503, .headers = {{"retry-after", "1"}}});
      }
      co_return;
    }
    call.is_owner = !known;
    if (known) answer(*known, call, response);
  }

  void answer(std::string_view known, const Call& call, extproc::PhaseResponse& response) const {
    const std::string_view state = known.substr(0, known.find(' '));
    const bool same =
        known.substr(std::min(state.size() + 1, known.size())).starts_with(call.fingerprint);
    if (!known.empty() && !same) {
      response.respond({.status = 422, .body = "idempotency-key was for another request\n"});
    } else if (state == "answered") {
      replays_.add();
      response.respond(replay(known.substr(state.size() + call.fingerprint.size() + 2)));
    } else if (state == "unkept") {
      response.respond({.status = 409, .body = "done, and its answer was too large to keep\n"});
    } else {
      response.respond({.status = 409,
                        .headers = {{"retry-after", "1"}},
                        .body = "a request with this idempotency-key is under way\n"});
    }
  }

  static extproc::ImmediateResponse replay(std::string_view text) {
    const auto line = [&text] {
      const std::string_view found = text.substr(0, text.find("\r\n"));
      text.remove_prefix(std::min(found.size() + 2, text.size()));
      return found;
    };
    extproc::ImmediateResponse response;
    const std::string_view status = line();
    std::from_chars(status.data(), status.data() + status.size(), response.status);
    for (std::string_view header = line(); !header.empty(); header = line()) {
      const std::size_t colon = header.find(": ");
      response.headers.emplace_back(header.substr(0, colon), header.substr(colon + 2));
    }
    response.headers.emplace_back("idempotent-replayed", "true");
    response.body = text;
    return response;
  }

  extproc::Task<> end(Call& call) {
    if (!std::exchange(call.is_owner, false)) co_return;
    std::optional<std::string> value;
    if (!call.failed) {
      const bool kept = call.answer.size() <= most_bytes_;
      value = (kept ? "answered " : "unkept ") + call.fingerprint + " " +
              (kept ? call.answer : std::string());
    }
    try {
      co_await store_->give(call.key, call.owner, std::move(value), time_);
    } catch (const std::runtime_error&) {
      // The answer is the caller's all the same; the key stays taken for in_flight.
      failures_.add();
    }
  }

  const std::vector<std::string> methods_;
  const std::vector<std::string> scope_;
  const bool required_;
  const bool refuses_without_store_;
  const std::chrono::milliseconds wait_;
  const std::chrono::milliseconds time_;
  const std::chrono::milliseconds in_flight_;
  const std::size_t most_bytes_;
  const std::unique_ptr<IdempotencyStore> store_;
  const extproc::metrics::Counter replays_{"idempotency_replays_total",
                                           "Requests that were answered from the store"};
  const extproc::metrics::Counter failures_{"idempotency_store_failures_total",
                                            "Times that the store could not say"};
};

}  // namespace

EXTPROC_EXPORT(Idempotency)
