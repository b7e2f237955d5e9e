#include "fields.h"

#include <extproc/json.h>

#include <cstdio>
#include <optional>
#include <stdexcept>
#include <utility>

namespace test_processors {
namespace {

namespace json = boost::json;

using Pairs = std::vector<std::pair<std::string, std::string>>;

// "a b c" at the first space.
std::pair<std::string, std::string> split(std::string_view text, char separator = ' ') {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) return {std::string(text), ""};
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

std::string text_of(const json::value& value) { return json::serialize(value); }

std::string string_of(const json::value& value) {
  return std::string(value.as_string().data(), value.as_string().size());
}

Pairs pairs_of(const json::object& object, const char* name) {
  Pairs pairs;
  const json::value* list = object.if_contains(name);
  if (list == nullptr) return pairs;
  for (const json::value& pair : list->as_array()) {
    pairs.emplace_back(string_of(pair.as_array().at(0)), string_of(pair.as_array().at(1)));
  }
  return pairs;
}

template <class T>
T number_of(const json::object& object, const char* name, T otherwise) {
  const json::value* number = object.if_contains(name);
  return number == nullptr ? otherwise : number->to_number<T>();
}

std::string string_of(const json::object& object, const char* name) {
  const json::value* text = object.if_contains(name);
  return text == nullptr ? std::string() : string_of(*text);
}

extproc::ImmediateResponse reply_of(const std::string& text) {
  const json::value parsed = json::parse(text);
  const json::object& object = parsed.as_object();
  extproc::ImmediateResponse reply;
  reply.status = number_of(object, "status", 200);
  reply.headers = pairs_of(object, "headers");
  reply.body = string_of(object, "body");
  reply.details = string_of(object, "details");
  if (const auto status = number_of(object, "grpc_status", -1); status >= 0) {
    reply.grpc_status = static_cast<extproc::GrpcStatus>(status);
  }
  if (const json::value* removed = object.if_contains("removed_headers")) {
    for (const json::value& name : removed->as_array()) {
      reply.removed_headers.push_back(string_of(name));
    }
  }
  return reply;
}

std::string config_text(const std::optional<extproc::ProtocolConfiguration>& config) {
  if (!config) return "none";
  return std::string(to_string(config->request_body_mode)) + " " +
         std::string(to_string(config->response_body_mode)) +
         (config->send_body_without_waiting_for_header_response ? " without waiting" : "");
}

bool report(const Action& action, const extproc::Context& context,
            extproc::PhaseResponse& response) {
  if (action.verb == "attribute") {
    const auto value = context.attribute(action.argument);
    response.set_header("x-attribute-" + action.argument,
                        value ? text_of(extproc::to_json(*value)) : "none");
  } else if (action.verb == "metadata") {
    const auto value = context.filter_metadata(action.argument);
    response.set_header("x-metadata-" + action.argument,
                        value ? text_of(extproc::to_json(*value)) : "none");
  } else if (action.verb == "typed_metadata") {
    const auto value = context.typed_filter_metadata(action.argument);
    response.set_header("x-typed-metadata-" + action.argument,
                        value ? std::string(value->type_url) + " " + to_hex(value->value) : "none");
  } else if (action.verb == "call") {
    response.set_header("x-call-" + action.argument,
                        std::string(context.metadata(action.argument).value_or("none")));
  } else if (action.verb == "trace") {
    const extproc::TraceContext* trace = context.trace();
    response.set_header(
        "x-trace-" + std::string(to_string(action.phase)),
        trace == nullptr ? "none" : trace->traceparent() + " " + std::string(trace->tracestate));
  } else if (action.verb == "config") {
    response.set_header("x-config", config_text(context.protocol_config()));
  } else if (action.verb == "log") {
    std::fprintf(stderr, "%s in %.*s%s\n", action.argument.c_str(),
                 static_cast<int>(to_string(action.phase).size()), to_string(action.phase).data(),
                 context.observability_mode() ? ", observing" : "");
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return hex;
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

bool act_on_fields(const Action& action, const extproc::Context& context,
                   extproc::PhaseResponse& response) {
  if (report(action, context, response)) return true;
  const auto [first, rest] = split(action.argument);
  if (action.verb == "emit") {
    response.set_dynamic_metadata(first, extproc::to_struct(json::parse(rest).as_object()));
  } else if (action.verb == "emit_typed") {
    const auto [type, hex] = split(rest);
    response.set_typed_dynamic_metadata(first, type, from_hex(hex));
  } else if (action.verb == "reply") {
    response.respond(reply_of(action.argument));
  } else if (action.verb == "fall_back") {
    std::optional<extproc::ImmediateResponse> reply;
    if (const auto [status, text] = split(rest); !status.empty()) {
      reply = extproc::form_immediate_response(std::stoi(status), {{"x-from", "fallback"}}, text);
    }
    response.fall_back_after(std::chrono::milliseconds(std::stoi(first)), std::move(reply));
  } else {
    return false;
  }
  return true;
}

extproc::ModeOverride mode_override_of(std::string_view text) {
  extproc::ModeOverride mode;
  const auto body = [](std::string_view name) {
    for (std::uint8_t number = 0; number <= 5; ++number) {
      const auto candidate = static_cast<extproc::BodySendMode>(number);
      if (to_string(candidate) == name) return candidate;
    }
    throw std::invalid_argument("no such body mode: " + std::string(name));
  };
  const auto header = [](std::string_view name) {
    return name == "SEND" ? extproc::HeaderSendMode::send : extproc::HeaderSendMode::skip;
  };
  for (std::string rest(text); !rest.empty();) {
    auto [pair, behind] = split(rest, ',');
    rest = std::move(behind);
    const auto [name, value] = split(pair, '=');
    if (name == "request_body") {
      mode.request_body_mode = body(value);
    } else if (name == "response_body") {
      mode.response_body_mode = body(value);
    } else if (name == "response_header") {
      mode.response_header_mode = header(value);
    } else if (name == "request_trailer") {
      mode.request_trailer_mode = header(value);
    } else if (name == "response_trailer") {
      mode.response_trailer_mode = header(value);
    } else {
      throw std::invalid_argument("no such mode: " + name);
    }
  }
  return mode;
}

StreamedScript streamed_script(std::string_view text) {
  const json::value parsed = json::parse(json::string_view(text.data(), text.size()));
  const json::object& object = parsed.as_object();
  StreamedScript script;
  script.status = number_of(object, "status", 200);
  script.headers = pairs_of(object, "headers");
  script.trailers = pairs_of(object, "trailers");
  script.delay = std::chrono::milliseconds(number_of(object, "delay", 0));
  if (const json::value* chunks = object.if_contains("chunks")) {
    for (const json::value& chunk : chunks->as_array()) script.chunks.push_back(string_of(chunk));
  }
  return script;
}

}  // namespace test_processors
