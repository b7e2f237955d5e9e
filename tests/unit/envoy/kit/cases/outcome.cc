#include "envoy/kit/cases/outcome.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <array>
#include <boost/crc.hpp>
#include <cstdio>
#include <map>

#include "envoy/kit/cases/agreement.h"
#include "wire/oracle.h"

namespace extproc::testing::cases {
namespace {

namespace oracle = wire::oracle;
using Object = std::map<std::string, std::string>;

constexpr std::size_t kLong = 200;

std::string json(const std::string& bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view kShort = "\b\f\n\r\t\"\\";
    constexpr std::string_view kLetters = "bfnrt\"\\";
    if (const auto at = kShort.find(c); at != std::string_view::npos) {
      text.append({'\\', kLetters[at]});
    } else if (byte < 0x20 || byte >= 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      text.append(escaped);
    } else {
      text.push_back(c);
    }
  }
  return text + "\"";
}

std::string json(bool value) { return value ? "true" : "false"; }

std::string json(const Object& members) {
  std::string text;
  for (const auto& [name, value] : members)
    text += (text.empty() ? "" : ",") + json(name) + ":" + value;
  return "{" + text + "}";
}

std::string shortened(const std::string& bytes) {
  if (bytes.size() <= kLong) return json(bytes);
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  char sum[16];
  std::snprintf(sum, sizeof sum, "%08x", crc.checksum());
  return json(bytes.substr(0, 32) + "...[" + std::to_string(bytes.size()) + " bytes, crc " + sum +
              "]");
}

bool is_left_out(const std::string& name) {
  constexpr std::array<std::string_view, 7> kNames = {"date",
                                                      "server",
                                                      "x-forwarded-proto",
                                                      "x-request-id",
                                                      "x-envoy-expected-rq-timeout-ms",
                                                      "x-envoy-upstream-service-time",
                                                      "x-envoy-case"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string json(HeaderList headers) {
  std::stable_sort(headers.begin(), headers.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  for (const auto& [name, value] : headers) {
    if (!is_left_out(name))
      text += (text.empty() ? "[" : ",[") + json(name) + "," + shortened(value) + "]";
  }
  return "[" + text + "]";
}

std::string json(const std::optional<HeaderList>& trailers) {
  return trailers ? json(*trailers) : "null";
}

HeaderList header_map(const oracle::Message& map) {
  HeaderList list;
  for (int i = 0; i < oracle::count(map, "headers"); ++i) {
    const auto& header = oracle::item(map, "headers", i);
    list.emplace_back(oracle::text(header, "key"), oracle::text(header, "raw_value"));
  }
  return list;
}

std::string struct_json(const oracle::Message& message);

std::string value_json(const oracle::Message& value) {
  const std::string kind = oracle::chosen(value, "kind");
  if (kind == "string_value") return shortened(oracle::text(value, kind));
  if (kind == "bool_value") return json(oracle::flag(value, kind));
  if (kind == "struct_value") return struct_json(oracle::sub(value, kind));
  if (kind == "number_value") {
    const auto* field = value.GetDescriptor()->FindFieldByName(kind);
    char number[40];
    std::snprintf(number, sizeof number, "number %g",
                  value.GetReflection()->GetDouble(value, field));
    return json(std::string(number));
  }
  if (kind == "list_value") {
    const auto& list = oracle::sub(value, kind);
    std::string text;
    for (int i = 0; i < oracle::count(list, "values"); ++i)
      text += (text.empty() ? "" : ",") + value_json(oracle::item(list, "values", i));
    return "[" + text + "]";
  }
  return json(std::string("null"));
}

std::string struct_json(const oracle::Message& message) {
  Object members;
  for (int i = 0; i < oracle::count(message, "fields"); ++i) {
    const auto& entry = oracle::item(message, "fields", i);
    members[oracle::text(entry, "key")] = value_json(oracle::sub(entry, "value"));
  }
  return json(members);
}

// A map of name to Struct.
std::string structs(const oracle::Message& message, const std::string& field) {
  Object members;
  for (int i = 0; i < oracle::count(message, field); ++i) {
    const auto& entry = oracle::item(message, field, i);
    members[oracle::text(entry, "key")] = struct_json(oracle::sub(entry, "value"));
  }
  return json(members);
}

std::string message_json(const std::string& bytes) {
  const auto request = oracle::from_bytes("ProcessingRequest", bytes);
  const std::string phase = oracle::chosen(*request, "request");
  const auto& data = oracle::sub(*request, phase);
  Object told{{"phase", json(phase)}};
  if (phase.ends_with("body")) told["body"] = shortened(oracle::text(data, "body"));
  if (!phase.ends_with("trailers"))
    told["end_of_stream"] = json(oracle::flag(data, "end_of_stream"));
  if (phase.ends_with("headers")) told["headers"] = json(header_map(oracle::sub(data, "headers")));
  if (phase.ends_with("trailers"))
    told["headers"] = json(header_map(oracle::sub(data, "trailers")));
  if (oracle::flag(*request, "observability_mode")) told["observability_mode"] = json(true);
  if (oracle::has(*request, "protocol_config")) {
    const auto& config = oracle::sub(*request, "protocol_config");
    told["protocol_config"] =
        "[" + std::to_string(oracle::number(config, "request_body_mode")) + "," +
        std::to_string(oracle::number(config, "response_body_mode")) + "," +
        (oracle::flag(config, "send_body_without_waiting_for_header_response") ? "1" : "0") + "]";
  }
  if (oracle::count(*request, "attributes") > 0)
    told["attributes"] = structs(*request, "attributes");
  const auto& metadata = oracle::sub(*request, "metadata_context");
  if (oracle::count(metadata, "filter_metadata") > 0)
    told["metadata"] = structs(metadata, "filter_metadata");
  return json(told);
}

std::string messages_json(const EnvoyResult& result) {
  std::string messages;
  for (const auto& message : result.messages) {
    if (message.from_envoy) messages += (messages.empty() ? "" : ",") + message_json(message.bytes);
  }
  return "[" + messages + "]";
}

// As a server tells them: how many, and of each rule the first.
std::string violations_json(const EnvoyResult& result) {
  std::map<std::string, std::string> first;
  for (const Violation& violation : result.violations) {
    const std::string rule(to_string(violation.rule));
    const std::string phase(to_string(violation.phase));
    first.emplace(rule, "[" + json(phase) + "," + json(violation.field) + "]");
  }
  return json(
      Object{{"count", std::to_string(result.violations.size())}, {"first", json(Object(first))}});
}

// Phase and text of each handler that threw, from "error: Name: phase failed for request 1: text".
std::string failures_json(const EnvoyResult& result) {
  constexpr std::string_view kFailed = " failed for request ";
  std::string failures;
  for (const std::string& line : result.log) {
    const auto at = line.find(kFailed);
    if (at == std::string::npos) continue;
    const auto phase = line.rfind(' ', at - 1) + 1;
    const auto text = line.find(": ", at) + 2;
    failures += (failures.empty() ? "[" : ",[") + json(line.substr(phase, at - phase)) + "," +
                json(line.substr(text)) + "]";
  }
  return "[" + failures + "]";
}

}  // namespace

std::string outcome_line(const Case& played, const EnvoyResult& result) {
  Object statistics;
  for (const auto& [counter, value] : result.statistics)
    statistics[counter] = std::to_string(value);
  const auto& caller = result.caller;
  const auto& upstream = result.upstream;
  Object told{{"name", json(played.name)},
              {"statistics", json(statistics)},
              {"caller", json(Object{{"reached", json(caller.status != 0)},
                                     {"headers", json(caller.headers)},
                                     {"body", shortened(caller.body)},
                                     {"trailers", json(caller.trailers)},
                                     {"complete", json(caller.complete)},
                                     {"reset", json(caller.reset)}})},
              {"upstream", json(Object{{"reached", json(upstream.reached)},
                                       {"headers", json(upstream.headers)},
                                       {"body", shortened(upstream.body)},
                                       {"trailers", json(upstream.trailers)},
                                       {"complete", json(upstream.complete)}})}};
  if (!played.data["library"]) {
    told["messages"] = messages_json(result);
    return json(told);
  }
  told["violations"] = violations_json(result);
  told["failures"] = failures_json(result);
  // Inside, Envoy refuses nothing.
  if (played.data["inside"]) return json(told);
  if (const auto text = disagreement(played.data["filter"], result); !text.empty())
    told["disagreement"] = json(text);
  return json(told);
}

}  // namespace extproc::testing::cases
