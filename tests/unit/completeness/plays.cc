#include "completeness/plays.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "extproc/chain.h"
#include "wire/oracle.h"

namespace extproc::completeness {
namespace {

using testing::CallerResult;
using testing::Envoy;
using testing::Exchange;
using testing::HeaderList;
using testing::HttpMessage;
using testing::UpstreamResult;
namespace oracle = wire::oracle;

constexpr std::size_t kModes = 6;

std::string text(HeaderList headers) {
  std::stable_sort(headers.begin(), headers.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string all;
  for (const auto& [name, value] : headers) {
    // How a message is framed is Envoy's own choice.
    if (name != "content-length") all += " " + name + "=" + value;
  }
  return all;
}

template <class Message>
std::string rest(const Message& message) {
  return text(message.headers) + " \"" + message.body + "\"" +
         (message.trailers ? " trailers" + text(*message.trailers) : "") +
         (message.complete ? " complete" : "");
}

std::string text(const UpstreamResult& upstream) {
  // What of a request that was cut off got there is a matter of time.
  return upstream.complete ? rest(upstream) : "none";
}

std::string text(const CallerResult& caller) {
  return std::to_string(caller.status) + (caller.reset ? " reset" : rest(caller));
}

/// In the chunks that were sent first, where nobody has changed the length.
std::vector<std::string> chunks(const std::string& body, const std::vector<std::string>& sent) {
  std::size_t size = 0;
  for (const auto& chunk : sent) size += chunk.size();
  if (size != body.size()) return body.empty() ? std::vector<std::string>{} : std::vector{body};
  std::vector<std::string> again;
  for (std::size_t at = 0; const auto& chunk : sent) {
    again.push_back(body.substr(at, chunk.size()));
    at += chunk.size();
  }
  return again;
}

template <class Result>
HttpMessage message(const Result& result, const HttpMessage& sent) {
  return {.headers = result.headers,
          .body = chunks(result.body, sent.body),
          .trailers = result.trailers};
}

/// Metadata as Envoy has it in the end: what several answers set of a namespace is merged, field by
/// field, and of one answer that names it twice the later counts, as in any map of a message.
using Metadata = std::map<std::string, std::map<std::string, std::string>>;

void add_metadata(const oracle::Message& response, Metadata& metadata) {
  Metadata of_answer;
  const auto& all = oracle::sub(response, "dynamic_metadata");
  for (int i = 0; i < oracle::count(all, "fields"); ++i) {
    const auto& entry = oracle::item(all, "fields", i);
    auto& fields = of_answer[oracle::text(entry, "key")];
    fields.clear();
    const auto& value = oracle::sub(oracle::sub(entry, "value"), "struct_value");
    for (int f = 0; f < oracle::count(value, "fields"); ++f) {
      const auto& field = oracle::item(value, "fields", f);
      fields[oracle::text(field, "key")] = oracle::sub(field, "value").ShortDebugString();
    }
  }
  for (const auto& [name, fields] : of_answer) {
    for (const auto& [key, value] : fields) metadata[name][key] = value;
  }
}

void add_extras(const EnvoyResult& result, std::set<std::string>& extras) {
  Metadata metadata;
  for (const auto& message : result.messages) {
    if (message.from_envoy) continue;
    const auto read = oracle::from_bytes("ProcessingResponse", message.bytes);
    add_metadata(*read, metadata);
    for (const char* field : {"request_drain_requests", "request_drain_responses"}) {
      if (oracle::has(*read, field)) extras.insert(field);
    }
    for (int i = 0; i < oracle::count(*read, "typed_dynamic_metadata"); ++i)
      extras.insert(oracle::item(*read, "typed_dynamic_metadata", i).ShortDebugString());
  }
  for (const auto& [name, fields] : metadata) {
    for (const auto& [key, value] : fields) extras.insert(name + "." + key + " " + value);
  }
}

void add(const EnvoyResult& result, Effect& effect) {
  add_extras(result, effect.extras);
  for (const auto& violation : result.violations)
    effect.violations.emplace(violation.rule, violation.phase);
}

/// Whether the processor answered the caller itself, and in which direction.
std::optional<bool> replied_in_request(const EnvoyResult& result) {
  if (result.statistic("immediate_responses_sent") == 0) {
    const bool streamed =
        std::any_of(result.messages.begin(), result.messages.end(), [](const auto& message) {
          return !message.from_envoy &&
                 oracle::has(*oracle::from_bytes("ProcessingResponse", message.bytes),
                             "streamed_immediate_response");
        });
    return streamed ? std::optional(true) : std::nullopt;
  }
  std::string last;
  for (const auto& message : result.messages) {
    if (message.from_envoy)
      last = oracle::chosen(*oracle::from_bytes("ProcessingRequest", message.bytes), "request");
    else if (oracle::has(*oracle::from_bytes("ProcessingResponse", message.bytes),
                         "immediate_response"))
      break;
  }
  return last.starts_with("request");
}

}  // namespace

const Envoy& envoy(Modes modes) {
  static std::array<std::array<std::unique_ptr<Envoy>, kModes>, kModes> made;
  auto& one =
      made[static_cast<std::size_t>(modes.request)][static_cast<std::size_t>(modes.response)];
  if (one == nullptr) {
    one = std::make_unique<Envoy>(
        "{processing_mode: {request_body_mode: " + std::string(to_string(modes.request)) +
        ", response_body_mode: " + std::string(to_string(modes.response)) +
        ", request_trailer_mode: SEND, response_trailer_mode: SEND}, allow_mode_override: true, "
        "message_timeout: 10s, metadata_options: {forwarding_namespaces: {untyped: [walk]}, "
        "receiving_namespaces: {untyped: [walk], typed: [walk]}}}");
  }
  return *one;
}

Exchange exchange(bool trailers) {
  const HeaderList there{{"x-there", "a"}, {"x-there", "b"}};
  HttpMessage request{.headers = {{":method", "POST"}}, .body = {"a", "b"}};
  HttpMessage response{.headers = {{":status", "200"}}, .body = {"c", "d"}};
  for (HttpMessage* message : {&request, &response}) {
    message->headers.insert(message->headers.end(), there.begin(), there.end());
    if (trailers) {
      message->trailers = there;
      message->trailers->emplace_back("x-kept", "1");
    } else {
      message->headers.emplace_back("content-length", "2");
    }
  }
  return {.request = request, .upstream = response};
}

std::string Effect::text() const {
  std::string all = "upstream" + upstream + "\ncaller " + caller +
                    (route_cache_cleared ? "\nroute cache cleared" : "");
  for (const auto& extra : extras) all += "\n" + extra;
  for (const auto& [rule, phase] : violations)
    all += "\n" + std::string(to_string(rule)) + " in " + std::string(to_string(phase));
  return all;
}

EnvoyResult alone(const Service& processor, Modes modes, bool trailers) {
  return envoy(modes).run(processor, exchange(trailers));
}

Effect effect(const EnvoyResult& result) {
  Effect effect{.upstream = text(result.upstream), .caller = text(result.caller)};
  effect.route_cache_cleared = result.upstream.complete && result.route_cache_cleared;
  add(result, effect);
  return effect;
}

Effect by_filters(const Filters& filters, Modes modes, bool trailers) {
  const Envoy& each = envoy(modes);
  const Exchange sent = exchange(trailers);
  const EnvoyResult request = each.run(filters.first, sent);
  if (replied_in_request(request) == true) {
    const EnvoyResult back =
        each.run(filters.second_in_response,
                 {.request = sent.request, .upstream = message(request.caller, sent.upstream)});
    Effect all{.upstream = "none", .caller = text(back.caller)};
    add(request, all);
    add(back, all);
    return all;
  }
  const EnvoyResult behind =
      each.run(filters.second,
               {.request = message(request.upstream, sent.request), .upstream = sent.upstream});
  Effect all = effect(behind);
  // Past the first one.
  if (replied_in_request(behind) == false) {
    const EnvoyResult front = each.run(filters.first_in_request, sent);
    all.route_cache_cleared = all.route_cache_cleared || front.route_cache_cleared;
    add(front, all);
    return all;
  }
  const EnvoyResult front = each.run(
      filters.first, {.request = sent.request, .upstream = message(behind.caller, sent.upstream)});
  all.caller = text(front.caller);
  all.route_cache_cleared =
      behind.upstream.complete && (behind.route_cache_cleared || front.route_cache_cleared);
  add(front, all);
  return all;
}

Effect by_chain(const Service& first, const Service& second, Modes modes, bool trailers) {
  Chain chain({first, second});
  return effect(envoy(modes).run(Service(chain), exchange(trailers)));
}

}  // namespace extproc::completeness
