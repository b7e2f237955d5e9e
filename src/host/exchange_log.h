#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/logger.h"
#include "exchange/base_exchange.h"
#include "extproc/host.h"

namespace extproc::host {

/// An exchange that tells the log what comes and what is answered: for LogLevel::debug.
class ExchangeLog final : public Exchange, private AnswerSink {
 public:
  /// `sink` is who is answered; all must outlive it.
  ExchangeLog(const Logger& logger, const std::string& processor, const Settings& settings,
              AnswerSink& sink)
      : logger_(logger), processor_(processor), settings_(settings), sink_(sink) {}

  /// What the exchange that is told of answers to.
  AnswerSink& answers() { return *this; }
  /// Whose messages and answers are told; before all other calls.
  void tell_of(std::unique_ptr<exchange::BaseExchange> exchange) {
    exchange_ = std::move(exchange);
  }
  const exchange::BaseExchange& told_of() const { return *exchange_; }

  void begin(const CallInfo& info) override;
  void expect_windows() override { exchange_->expect_windows(); }
  bool expects_first() const override { return exchange_->expects_first(); }
  void on(const Message& message) override;
  void on_malformed() override;
  void on_end() override { exchange_->on_end(); }
  void on_writable() override { exchange_->on_writable(); }
  void on_wake() override { exchange_->on_wake(); }
  bool on_closed(GrpcStatus status, bool cancelled, std::string_view why) override;

 private:
  void headers(Phase phase, const HttpHeaders& message, const HeadersResponse& answer) override;
  void body(Phase phase, const HttpBody& message, BodyResponse& answer) override;
  void trailers(Phase phase, const HttpTrailers& message, const TrailersResponse& answer) override;
  void piece(Phase phase, const HttpBody& piece, const ResponseExtras* extras) override;
  void reply(Phase phase, const ImmediateResponse& response, const ResponseExtras* extras) override;
  void reply_head(std::span<const Header> headers, const ResponseExtras* extras) override;
  void reply_chunk(std::string_view bytes, const ResponseExtras* extras) override;
  void reply_end(std::span<const Header> trailers, const ResponseExtras* extras) override;
  void ask_for_time(std::chrono::milliseconds time) override;
  void consumed(Phase phase, std::size_t bytes) override { sink_.consumed(phase, bytes); }
  bool congested(Phase phase) const override { return sink_.congested(phase); }
  std::size_t held_bytes() const override { return sink_.held_bytes(); }

  void tell(std::optional<Phase> phase, std::string_view event, std::string_view detail) const;

  const Logger& logger_;
  const std::string& processor_;
  const Settings& settings_;
  AnswerSink& sink_;
  std::unique_ptr<exchange::BaseExchange> exchange_;
  std::string request_id_;
};

}  // namespace extproc::host
