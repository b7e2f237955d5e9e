#pragma once

#include <extproc/host.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace example {

using Headers = std::map<std::string, std::string, std::less<>>;

/// An HTTP message as a small program has it.
struct HttpMessage {
  Headers headers;
  std::string body;
};

/// A host with header maps of its own: has a processor work on whole requests and responses,
/// without protobuf, a network or an event loop. Its handlers must not wait.
class MapHost {
 public:
  explicit MapHost(const extproc::Service& processor)
      : host_(processor,
              {.log = [](extproc::LogLevel, std::string_view) {}, .enforces_rules = true}) {}

  /// What the processor makes of `request` and of what `upstream` answers to it; where it answers
  /// itself, that, and the upstream is not asked.
  template <class Upstream>
  HttpMessage exchange(HttpMessage request, Upstream upstream) {
    Call call(host_);
    using extproc::Phase;
    if (!call.passes(Phase::request_headers, Phase::request_body, request)) return call.answer();
    HttpMessage response = upstream(std::as_const(request));
    if (!call.passes(Phase::response_headers, Phase::response_body, response)) return call.answer();
    return response;
  }

 private:
  /// One request on its way: what an exchange answers is done to the message at hand.
  class Call final : extproc::host::AnswerSink, extproc::host::Control, extproc::host::CallInfo {
   public:
    explicit Call(extproc::host::Host& host) : exchange_(host.make_exchange(*this, *this)) {
      exchange_->begin(*this);
    }
    ~Call() { exchange_->on_closed(extproc::GrpcStatus::ok, false); }

    /// False where the message goes no further: see answer().
    bool passes(extproc::Phase headers, extproc::Phase body, HttpMessage& message) {
      message_ = &message;
      std::vector<extproc::Header> entries;
      for (const auto& [name, value] : message.headers) entries.push_back({name, value});
      replaced_ = false;
      tell({.phase = headers, .end_of_stream = message.body.empty(), .headers = entries});
      if (!ended_ && !replaced_ && !message.body.empty())
        tell({.phase = body, .end_of_stream = true, .body = std::string(message.body)});
      return !ended_ || !answer_;
    }
    /// The processor's own answer; a handler that failed is a 500.
    HttpMessage answer() { return std::move(*answer_); }

   private:
    void tell(extproc::host::Message message) {
      message.protocol_config = {extproc::BodySendMode::buffered, extproc::BodySendMode::buffered};
      if (!ended_) exchange_->on(message);
    }

    void headers(extproc::Phase, const extproc::HttpHeaders&,
                 const extproc::HeadersResponse& answer) override {
      change(message_->headers, answer.header_mutation());
      if (const auto& body = answer.replacement()) {
        message_->body = *body;
        replaced_ = true;
      }
    }
    void body(extproc::Phase, const extproc::HttpBody&, extproc::BodyResponse& answer) override {
      change(message_->headers, answer.header_mutation());
      if (answer.body_change() != extproc::BodyChange::none) message_->body = answer.body();
    }
    void trailers(extproc::Phase, const extproc::HttpTrailers&,
                  const extproc::TrailersResponse&) override {}
    void piece(extproc::Phase, const extproc::HttpBody&, const extproc::ResponseExtras*) override {}
    void reply(extproc::Phase, const extproc::ImmediateResponse& response,
               const extproc::ResponseExtras*) override {
      answer_ = HttpMessage{{{":status", std::to_string(response.status)}}, response.body};
      for (const auto& [name, value] : response.headers) answer_->headers[name] = value;
    }
    void reply_head(std::span<const extproc::Header>, const extproc::ResponseExtras*) override {}
    void reply_chunk(std::string_view, const extproc::ResponseExtras*) override {}
    void reply_end(std::span<const extproc::Header>, const extproc::ResponseExtras*) override {}
    void ask_for_time(std::chrono::milliseconds) override {}
    void consumed(extproc::Phase, std::size_t) override {}
    bool congested(extproc::Phase) const override { return false; }
    std::size_t held_bytes() const override { return 0; }

    void finish(extproc::GrpcStatus status, std::string_view) override {
      ended_ = true;
      if (status != extproc::GrpcStatus::ok) answer_ = HttpMessage{{{":status", "500"}}, ""};
    }
    void wake_at(std::optional<extproc::host::Clock::time_point>) override {}
    void pause() override {}
    void resume() override {}
    void released() override {}

    std::string_view peer() const override { return "example"; }
    std::optional<extproc::host::Clock::time_point> deadline() const override { return {}; }
    std::size_t metadata_size() const override { return 0; }
    std::pair<std::string_view, std::string_view> metadata_at(std::size_t) const override {
      return {};
    }

    static void change(Headers& headers, const extproc::HeaderMutation& mutation) {
      using Operation = extproc::HeaderMutation::Operation;
      for (std::size_t i = 0; i < mutation.size(); ++i) {
        const auto [operation, name, value] = mutation.at(i);
        std::string& all = headers[std::string(name)];
        if (operation == Operation::append && !all.empty()) all += ",";
        if (operation != Operation::append) all.clear();
        all += value;
        if (operation == Operation::remove) headers.erase(std::string(name));
      }
    }

    HttpMessage* message_ = nullptr;
    std::optional<HttpMessage> answer_;
    bool ended_ = false;
    bool replaced_ = false;
    std::unique_ptr<extproc::host::Exchange> exchange_;
  };

  extproc::host::Host host_;
};

}  // namespace example
