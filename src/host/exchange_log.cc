#include "host/exchange_log.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "base/header_name.h"

namespace extproc::host {
namespace {

/// Their values are not told, besides those of Settings::redacted_headers.
constexpr std::array<std::string_view, 5> kSecret = {"authorization", "proxy-authorization",
                                                     "cookie", "set-cookie", "x-api-key"};

/// What is told of a message or an answer, its parts behind each other; no longer than a line of
/// the log is.
class Account {
 public:
  explicit Account(const Settings& settings) : settings_(settings) {}

  void add(std::initializer_list<std::string_view> words) {
    if (text_.size() > kMost) return;
    if (!text_.empty()) text_ += ", ";
    for (const auto word : words) text_.append(word.substr(0, kMost));
  }
  void header(std::string_view name, std::string_view value, std::string_view how = {}) {
    if (is_secret(name)) {
      add({how, name, "=(", std::to_string(value.size()), " bytes)"});
    } else {
      add({how, name, "=", value});
    }
  }
  void headers(std::span<const Header> headers) {
    for (const Header& each : headers) header(each.name, each.value);
  }
  void bytes(std::string_view what, std::size_t count) {
    add({what, std::to_string(count), " bytes"});
  }
  void flag(bool is_set, std::string_view what) {
    if (is_set) add({what});
  }

  void changes(const HeaderMutation& mutation) {
    for (std::size_t i = 0; i < mutation.size(); ++i) {
      const auto entry = mutation.at(i);
      switch (entry.operation) {
        case HeaderMutation::Operation::set:
          header(entry.name, entry.value, "set ");
          break;
        case HeaderMutation::Operation::append:
          header(entry.name, entry.value, "append ");
          break;
        case HeaderMutation::Operation::remove:
          add({"remove ", entry.name});
          break;
      }
    }
  }
  void extras(const ResponseExtras* extras) {
    if (extras == nullptr) return;
    for (const auto& each : extras->dynamic_metadata) add({"dynamic metadata ", each.first});
    for (const auto& each : extras->typed_dynamic_metadata) {
      add({"typed dynamic metadata ", each.name});
    }
    if (extras->mode_override) mode(*extras->mode_override);
    flag(extras->drain_requests, "request_drain of requests");
    flag(extras->drain_responses, "request_drain of responses");
  }

  std::string_view text(std::string_view nothing = {}) const {
    return text_.empty() ? nothing : text_;
  }

 private:
  static constexpr std::size_t kMost = std::size_t{3} << 10;

  bool is_secret(std::string_view name) const {
    const auto is_it = [name](std::string_view secret) { return same_name(secret, name); };
    return std::ranges::any_of(kSecret, is_it) ||
           std::ranges::any_of(settings_.redacted_headers, is_it);
  }
  void mode(const ModeOverride& mode) {
    const auto body = [this](std::string_view field, std::optional<BodySendMode> value) {
      if (value) add({"mode_override ", field, "=", to_string(*value)});
    };
    const auto other = [this](std::string_view field, std::optional<HeaderSendMode> value) {
      if (value)
        add({"mode_override ", field, "=", *value == HeaderSendMode::send ? "SEND" : "SKIP"});
    };
    other("request_header_mode", mode.request_header_mode);
    other("response_header_mode", mode.response_header_mode);
    body("request_body_mode", mode.request_body_mode);
    body("response_body_mode", mode.response_body_mode);
    other("request_trailer_mode", mode.request_trailer_mode);
    other("response_trailer_mode", mode.response_trailer_mode);
  }

  const Settings& settings_;
  std::string text_;
};

void tell_filter(Account& account, const ProtocolConfiguration& config) {
  account.add({"request_body_mode=", to_string(config.request_body_mode)});
  account.add({"response_body_mode=", to_string(config.response_body_mode)});
  account.flag(config.send_body_without_waiting_for_header_response,
               "send_body_without_waiting_for_header_response");
}

}  // namespace

void ExchangeLog::tell(std::optional<Phase> phase, std::string_view event,
                       std::string_view detail) const {
  logger_.log({.level = LogLevel::debug,
               .kind = LineKind::phase,
               .event = event,
               .detail = detail,
               .processor = processor_,
               .phase = phase,
               .request_id = request_id_,
               .trace = exchange_->trace()});
}

void ExchangeLog::begin(const CallInfo& info) {
  request_id_.clear();
  exchange_->begin(info);
}

void ExchangeLog::on(const Message& message) {
  const bool first = exchange_->expects_first();
  if (message.phase == Phase::request_headers) {
    request_id_ = HeaderView(message.headers).value("x-request-id").value_or("");
  }
  Account account(settings_);
  if (message.phase && is_body(*message.phase)) account.bytes("", message.body.size());
  account.headers(message.headers);
  account.flag(message.end_of_stream, "end_of_stream");
  account.flag(message.body_flags.end_of_stream_without_message, "end_of_stream_without_message");
  account.flag(message.body_flags.grpc_message_compressed, "grpc_message_compressed");
  if (first && message.protocol_config) tell_filter(account, *message.protocol_config);
  account.flag(message.observability_mode, "observability_mode");
  account.flag(message.has_attributes, "attributes");
  if (message.has_metadata) account.bytes("metadata of ", message.metadata_bytes);
  tell(message.phase, message.phase ? "came" : "a message without a phase came", account.text());
  exchange_->on(message);
}

void ExchangeLog::on_malformed() {
  tell(std::nullopt, "a message came that is no ProcessingRequest", {});
  exchange_->on_malformed();
}

bool ExchangeLog::on_closed(GrpcStatus status, bool cancelled, std::string_view why) {
  tell(std::nullopt, "the stream is over",
       cancelled ? "reset by the client, or its connection ended"
                 : to_string(exchange_->ends_with(status)));
  return exchange_->on_closed(status, cancelled, why);
}

void ExchangeLog::headers(Phase phase, const HttpHeaders& message, const HeadersResponse& answer) {
  Account account(settings_);
  account.changes(answer.header_mutation());
  if (answer.replacement()) account.bytes("continue_and_replace by ", answer.replacement()->size());
  account.flag(answer.is_route_cache_cleared(), "clear_route_cache");
  account.extras(answer.extras_or_null());
  tell(phase, "answered", account.text("unchanged"));
  sink_.headers(phase, message, answer);
}

void ExchangeLog::body(Phase phase, const HttpBody& message, BodyResponse& answer) {
  Account account(settings_);
  if (answer.body_change() == BodyChange::replace) {
    account.bytes("replaced by ", answer.body().size());
  }
  account.flag(answer.body_change() == BodyChange::clear, "cleared");
  account.changes(answer.header_mutation());
  account.flag(answer.is_route_cache_cleared(), "clear_route_cache");
  account.extras(answer.extras_or_null());
  tell(phase, "answered", account.text("unchanged"));
  sink_.body(phase, message, answer);
}

void ExchangeLog::trailers(Phase phase, const HttpTrailers& message,
                           const TrailersResponse& answer) {
  Account account(settings_);
  account.changes(answer.header_mutation());
  account.extras(answer.extras_or_null());
  tell(phase, "answered", account.text("unchanged"));
  sink_.trailers(phase, message, answer);
}

void ExchangeLog::piece(Phase phase, const HttpBody& piece, const ResponseExtras* extras) {
  Account account(settings_);
  account.bytes("", piece.bytes().size());
  account.flag(piece.end_of_stream(), "end_of_stream");
  account.flag(piece.flags().end_of_stream_without_message, "end_of_stream_without_message");
  account.flag(piece.flags().grpc_message_compressed, "grpc_message_compressed");
  account.extras(extras);
  tell(phase, "goes on as", account.text());
  sink_.piece(phase, piece, extras);
}

void ExchangeLog::reply(Phase phase, const ImmediateResponse& response,
                        const ResponseExtras* extras) {
  Account account(settings_);
  account.add({"status ", std::to_string(response.status)});
  for (const auto& [name, value] : response.headers) account.header(name, value, "set ");
  for (const auto& name : response.removed_headers) account.add({"remove ", name});
  account.bytes("a body of ", response.body.size());
  if (!response.details.empty()) account.add({"details ", response.details});
  if (response.grpc_status) account.add({"grpc-status ", to_string(*response.grpc_status)});
  account.extras(extras);
  tell(phase, "answered the caller", account.text());
  sink_.reply(phase, response, extras);
}

void ExchangeLog::reply_head(std::span<const Header> headers, const ResponseExtras* extras) {
  Account account(settings_);
  account.headers(headers);
  account.extras(extras);
  tell(Phase::request_headers, "answers the caller piece by piece", account.text());
  sink_.reply_head(headers, extras);
}

void ExchangeLog::reply_chunk(std::string_view bytes, const ResponseExtras* extras) {
  Account account(settings_);
  account.bytes("", bytes.size());
  account.extras(extras);
  tell(Phase::request_headers, "answers the caller with", account.text());
  sink_.reply_chunk(bytes, extras);
}

void ExchangeLog::reply_end(std::span<const Header> trailers, const ResponseExtras* extras) {
  Account account(settings_);
  account.add({std::to_string(trailers.size()), " trailers"});
  account.headers(trailers);
  account.extras(extras);
  tell(Phase::request_headers, "has answered the caller", account.text());
  sink_.reply_end(trailers, extras);
}

void ExchangeLog::ask_for_time(std::chrono::milliseconds time) {
  tell(std::nullopt, "asks for time",
       "override_message_timeout=" + std::to_string(time.count()) + "ms");
  sink_.ask_for_time(time);
}

}  // namespace extproc::host
