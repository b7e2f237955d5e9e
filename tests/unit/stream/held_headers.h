#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async_fixture.h"
#include "every_mode.h"

// Processors whose answer to headers waits for the handler over the body.
namespace extproc::stream {

inline constexpr ProtocolConfiguration kWithoutWaiting{BodySendMode::streamed,
                                                       BodySendMode::streamed, true};
inline const ProtocolConfiguration kHolding[] = {kFullDuplex, kWithoutWaiting};

inline bool duplex(const ProtocolConfiguration& config) { return config == kFullDuplex; }

constexpr Phase headers_of(Phase body) {
  return body == Phase::request_body ? Phase::request_headers : Phase::response_headers;
}

/// Decides by the first chunk that has an "!", which becomes a header's value; sends on what it
/// read.
inline Task<> decide(BodyStream& body, Context&, Request&) {
  std::string text;
  while (auto chunk = co_await body.read()) {
    text += chunk->bytes();
    if (text.find('!') == std::string::npos) continue;
    body.response().set_header("x-model", text);
    body.clear_route_cache();
    break;
  }
  body.write(text);
}

using HeldBodyHandler = std::function<Task<>(BodyStream&, Context&, Request&)>;

/// A processor that has the answer to headers wait.
struct Holding {
  HeldBodyHandler handler = &decide;
  std::optional<ImmediateResponse> otherwise{};
  std::function<void(HeadersResponse&)> besides = [](HeadersResponse& r) {
    r.set_header("a", "1");
  };

  std::shared_ptr<Handlers> service(Phase body = Phase::request_body) const {
    auto made = handlers();
    const auto headers = [*this](const HttpHeaders&, Context&, Request&, HeadersResponse& r) {
      r.wait_for_body(otherwise);
      besides(r);
    };
    if (body == Phase::request_body) {
      made->process<Phase::request_headers>(headers).process<Phase::request_body>(handler);
      made->process<Phase::request_trailers>(
          [](auto&, auto&, auto&, auto& r) { r.set_header("t", "1"); });
    } else {
      made->process<Phase::response_headers>(headers).process<Phase::response_body>(handler);
    }
    return made;
  }
};

inline std::vector<Rule> rules_told(const AsyncFixture& f) {
  std::vector<Rule> all;
  for (const auto& violation : f.violations) all.push_back(violation.rule);
  return all;
}

}  // namespace extproc::stream
