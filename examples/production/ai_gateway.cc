#include <extproc/async.h>
#include <extproc/call_log.h>
#include <extproc/coding.h>
#include <extproc/error.h>
#include <extproc/event_redact.h>
#include <extproc/http.h>
#include <extproc/json_fields.h>
#include <extproc/metrics.h>
#include <extproc/rate_limit.h>
#include <extproc/redact.h>
#include <extproc/sse.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace coding = extproc::coding;
namespace http = extproc::http;
namespace sse = extproc::sse;

/// An error as clients of models know it.
extproc::ImmediateResponse refusal(int status, std::string_view why) {
  return extproc::form_immediate_response(
      status, {{"content-type", "application/json"}},
      R"({"error":{"type":"gateway_error","message":)" + extproc::json_quoted(why) + "}}");
}

/// Finds the model in a request's body, in whatever pieces it comes.
class ModelFinder {
 public:
  ModelFinder(coding::Coding from, coding::DecodeLimits limits) : decoder_(from, limits) {}

  /// Nothing until it is there. Throws CodingError.
  std::optional<std::string> find(std::string_view bytes) {
    plain_.clear();
    decoder_.decode(bytes, plain_);
    reader_.push(plain_);
    const extproc::JsonField* const field = reader_.next();
    return field == nullptr ? std::nullopt : field->text();
  }
  bool is_json() const { return !reader_.error(); }

 private:
  static const inline extproc::JsonPaths kModel{{"/model"}};

  coding::Decoder decoder_;
  std::string plain_;
  extproc::JsonReader reader_{kModel};
};

/// What a model says that an answer has cost, in tokens. Each number is of the whole answer so far.
class Usage {
 public:
  void read(const sse::Event& event) {
    // Few events have it.
    if (!event.data || event.data->find("\"usage\"") == event.data->npos) return;
    extproc::JsonReader reader(kNumbers);
    reader.push(*event.data);
    read(reader);
  }
  void read(extproc::JsonReader& reader) {
    while (const extproc::JsonField* const field = reader.next()) {
      std::uint64_t& number = numbers_[field->path % kKinds];
      std::uint64_t value = 0;
      std::from_chars(field->raw.data(), field->raw.data() + field->raw.size(), value);
      number = std::max(number, value);
    }
  }
  std::uint64_t tokens() const { return std::max(numbers_[0], numbers_[1] + numbers_[2]); }

  static constexpr std::size_t kKinds = 3;
  static const inline extproc::JsonPaths kNumbers{
      {"/usage/total_tokens", "/usage/prompt_tokens", "/usage/completion_tokens",
       "/response/usage/total_tokens", "/usage/input_tokens", "/usage/output_tokens",
       "/message/usage/total_tokens", "/message/usage/input_tokens",
       "/message/usage/output_tokens"}};

 private:
  std::uint64_t numbers_[kKinds] = {};
};

/// The secrets that no answer may have; nothing where there are none.
std::unique_ptr<const extproc::Redaction> secrets_of(const extproc::OwnSettings& settings) {
  std::vector<extproc::RedactionRule> rules;
  for (auto& text : settings.get_or<std::vector<std::string>>("secrets", {}))
    rules.push_back({.literal = std::move(text)});
  for (auto& text : settings.get_or<std::vector<std::string>>("secret_patterns", {}))
    rules.push_back({.pattern = std::move(text)});
  const extproc::RedactionLimits limits{.match_bytes = settings.get_or("secret_bytes", 256U)};
  if (rules.empty()) return nullptr;
  return std::make_unique<const extproc::Redaction>(std::move(rules), limits);
}

/// An answer on its way to the caller: counted, and without secrets.
class Answer {
 public:
  Answer(bool is_events, const extproc::Redaction* secrets, const extproc::EventTexts& texts,
         Usage& usage)
      : is_events_(is_events), usage_(usage) {
    if (secrets == nullptr) return;
    redactor_.emplace(*secrets);
    if (is_events) event_redactor_.emplace(*secrets, texts);
  }

  /// What the bytes become; valid until the next call.
  std::string_view take(std::string_view bytes, bool last) {
    const std::string_view out = is_events_ ? take_events(bytes, last) : take_json(bytes);
    // What is whole in an event, wherever in it, and in JSON.
    return redactor_ ? redactor_->redact(out, last) : out;
  }

 private:
  std::string_view take_events(std::string_view bytes, bool last) {
    const std::string_view out = events_.edit(bytes, last, [this](sse::Edit& edit) {
      usage_.read(edit.event());
      if (event_redactor_) event_redactor_->redact(edit);
    });
    if (!last || !event_redactor_) return out;
    end_ = out;
    return end_ += event_redactor_->finish();
  }
  std::string_view take_json(std::string_view bytes) {
    json_.push(bytes);
    usage_.read(json_);
    return bytes;
  }

  const bool is_events_;
  Usage& usage_;
  sse::Editor events_;
  extproc::JsonReader json_{Usage::kNumbers};
  std::optional<extproc::EventRedactor> event_redactor_;
  std::optional<extproc::Redactor> redactor_;
  std::string end_;
};

/// In front of language models: a request goes to the cluster that its model is in, each tenant has
/// so many requests and tokens a minute, and secrets of ours get into no answer. Streams pass as
/// they come.
///
/// Envoy's route says `cluster_header: x-ai-cluster`. Who the tenant is, somebody in front has
/// found out, and says in a header.
class AiGateway final : public extproc::AsyncProcessor {
 public:
  explicit AiGateway(const extproc::OwnSettings& settings)
      : cluster_header_(settings.get_or<std::string>("cluster_header", "x-ai-cluster")),
        tenant_header_(settings.get_or<std::string>("tenant_header", "x-tenant")),
        secrets_(secrets_of(settings)),
        requests_(limit_of(settings, "requests_per_minute")),
        tokens_(limit_of(settings, "tokens_per_minute")) {
    limits_.bytes = settings.get_or("body_bytes", extproc::ByteSize{limits_.bytes}).bytes;
    for (const auto& model : settings.get_or<std::vector<extproc::OwnSettings>>("models", {}))
      models_.emplace_back(model);
  }

  extproc::Task<> process_request_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                                          extproc::Request& request,
                                          extproc::HeadersResponse& response) override {
    // Only we say it.
    response.remove_header(cluster_header_);
    Call& call = request.state<Call>();
    call.tenant = headers.value(tenant_header_).value_or("");
    call.has_model = headers.value(":method") == "POST" && !headers.end_of_stream();
    if (!call.has_model) co_return;
    if (const auto wait = over_limit(call.tenant)) co_return response.respond(too_many(*wait));
    call.request_coding = coding::coding_of(headers);
    if (!call.request_coding) co_return response.respond(refusal(415, "unknown content-encoding"));
    // Of what the caller takes, what can be read here.
    if (const auto accepted = headers.value("accept-encoding")) {
      const auto one = http::preferred(*accepted, {"zstd", "br", "gzip"});
      response.set_header("accept-encoding", one.value_or("identity"));
    }
    response.wait_for_body(refusal(413, "the model must come earlier in the body, or sooner"));
  }

  /// The headers go on with what is written here.
  extproc::Task<> stream_request_body(extproc::BodyStream& body, extproc::Context&,
                                      extproc::Request& request) override {
    Call& call = request.state<Call>();
    if (!call.has_model || !call.request_coding) co_return;
    ModelFinder finder(*call.request_coding, limits_);
    std::optional<std::string> name;
    std::string read;
    std::string_view why = "the body has no model";
    while (auto chunk = co_await body.read()) {
      read += chunk->bytes();
      try {
        name = finder.find(chunk->bytes());
      } catch (const coding::CodingError&) {
        why = "the body cannot be decoded";
        break;
      }
      if (!finder.is_json()) why = "the body is no JSON";
      if (name || !finder.is_json()) break;
    }
    if (!name) co_return body.response().respond(refusal(400, why));
    const auto model =
        std::ranges::find_if(models_, [&](const auto& each) { return each.has(*name); });
    if (model == models_.end()) co_return body.response().respond(refusal(404, "no such model"));
    call.model = &*model;
    call.name = *name;
    body.response().set_header(cluster_header_, model->cluster);
    body.clear_route_cache();
    body.write(read);
  }

  extproc::Task<> process_response_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                                           extproc::Request& request,
                                           extproc::HeadersResponse& response) override {
    Call& call = request.state<Call>();
    if (call.model == nullptr || headers.end_of_stream()) co_return;
    const auto type = http::MediaType::parse(headers.value("content-type").value_or(""));
    call.is_events = type && type->essence() == "text/event-stream";
    if (!call.is_events && !(type && (type->is_json() || type->type == "text"))) co_return;
    call.is_rewritten = coding::prepare(headers, response);
    call.response_coding = coding::coding_of(headers);
    if (!call.is_rewritten && secrets_) response.respond(refusal(502, "an answer nobody can read"));
  }

  extproc::Task<> stream_response_body(extproc::BodyStream& body, extproc::Context&,
                                       extproc::Request& request) override {
    Call& call = request.state<Call>();
    if (!call.is_rewritten) co_return;
    coding::PlainBody plain(body, call.response_coding, limits_);
    Answer answer(call.is_events, secrets_.get(), texts_, call.usage);
    while (auto chunk = co_await plain.read()) {
      call.bytes += chunk->size();
      plain.write(answer.take(*chunk, false));
      tell(call, body.response(), request);
    }
    plain.write(answer.take("", true));
    plain.finish();
  }

  void on_complete(const extproc::Completed&, extproc::Context&,
                   extproc::Request& request) override {
    const Call& call = request.state<Call>();
    if (call.model == nullptr) return;
    // A caller that leaves early, or an upstream that dies, is not free of charge.
    constexpr std::uint64_t kBytesOfToken = 4;
    const std::uint64_t known = call.usage.tokens();
    const auto tokens = static_cast<double>(known != 0 ? known : call.bytes / kBytesOfToken);
    if (tokens_) tokens_->charge(call.tenant, tokens);
    call.model->tokens.add(tokens);
  }

  /// `extproc config` and `check` make it without settings.
  void start() override {
    if (models_.empty()) throw extproc::Error("AiGateway has no models: name them in its settings");
  }

  extproc::Needs needs() const override {
    return {.request_headers_wait_for_body = true, .metadata_set = {"ai"}};
  }

 private:
  struct Model {
    explicit Model(const extproc::OwnSettings& settings)
        : name(settings.get<std::string>("name")),
          cluster(settings.get<std::string>("cluster")),
          tokens("ai_tokens_total", "Tokens that answers have cost", {{"model", name}}) {}

    /// "small", or "gpt-*".
    bool has(std::string_view asked) const {
      if (!name.ends_with('*')) return asked == name;
      return asked.starts_with(std::string_view(name).substr(0, name.size() - 1));
    }

    std::string name, cluster;
    extproc::metrics::Counter tokens;
  };

  /// One request.
  struct Call {
    std::string tenant, name;
    const Model* model = nullptr;
    std::optional<coding::Coding> request_coding, response_coding;
    bool has_model = false, is_events = false, is_rewritten = false;
    Usage usage;
    std::uint64_t bytes = 0, told = 0;
  };

  using Limiter = std::unique_ptr<extproc::RateLimiter>;

  static Limiter limit_of(const extproc::OwnSettings& settings, std::string_view name) {
    const auto most = settings.find<double>(name);
    if (!most) return nullptr;
    return std::make_unique<extproc::RateLimiter>(
        extproc::RateLimitSettings{.per_second = *most / 60, .burst = *most});
  }

  std::optional<std::chrono::nanoseconds> over_limit(const std::string& tenant) const {
    for (const Limiter* each : {&requests_, &tokens_}) {
      if (!*each) continue;
      if (const auto decision = (*each)->take(tenant); !decision.allowed)
        return decision.retry_after;
    }
    return std::nullopt;
  }
  static extproc::ImmediateResponse too_many(std::chrono::nanoseconds wait) {
    auto response = refusal(429, "too much for now");
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
    response.headers.emplace_back("retry-after", std::to_string(seconds));
    return response;
  }

  /// The access log, and the call log of a chain, have it though the caller leaves early.
  static void tell(Call& call, extproc::PhaseResponse& response, extproc::Request& request) {
    const auto tokens = static_cast<std::int64_t>(call.usage.tokens());
    if (call.told == call.usage.tokens()) return;
    call.told = call.usage.tokens();
    response.set_dynamic_metadata("ai",
                                  extproc::Struct().set("model", call.name).set("tokens", tokens));
    auto& fields = request.shared<extproc::CallFields>();
    fields.set("model", call.name);
    fields.set("tokens", tokens);
  }

  const std::string cluster_header_, tenant_header_;
  const std::unique_ptr<const extproc::Redaction> secrets_;
  const extproc::EventTexts texts_;
  const Limiter requests_, tokens_;
  coding::DecodeLimits limits_;
  std::vector<Model> models_;
};

}  // namespace

EXTPROC_EXPORT(AiGateway)
