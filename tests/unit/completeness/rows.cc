#include "completeness/rows.h"

#include <algorithm>
#include <utility>

namespace extproc::completeness {
namespace {

using testing::HeaderList;

/// The headers, or trailers, that show what was asked for in a phase.
HeaderList seen(const EnvoyResult& result, Phase phase) {
  const bool request = is_request_phase(phase);
  if (!is_trailers(phase)) return request ? result.upstream.headers : result.caller.headers;
  return (request ? result.upstream.trailers : result.caller.trailers).value_or(HeaderList{});
}

std::vector<std::string> values(const HeaderList& headers, std::string_view name) {
  std::vector<std::string> all;
  for (const auto& [key, value] : headers) {
    if (key == name) all.push_back(value);
  }
  return all;
}

using Values = std::vector<std::string>;

const std::string& body_seen(const EnvoyResult& result, Phase phase) {
  return is_request_phase(phase) ? result.upstream.body : result.caller.body;
}

bool emitted(const EnvoyResult& result, const std::vector<std::string_view>& fields) {
  const auto found = result.dynamic_metadata.find("walk");
  if (found == result.dynamic_metadata.end()) return false;
  return std::all_of(fields.begin(), fields.end(), [&](std::string_view field) {
    return found->second.view().find(field).has_value();
  });
}

bool denied(const EnvoyResult& result, Phase) {
  return result.caller.status == 403 && !result.caller.reset &&
         values(result.caller.headers, "x-denied") == Values{"1", "2"} &&
         result.caller.body == "no" && result.response_code_details == "walked";
}

ImmediateResponse denial() {
  return {.status = 403,
          .headers = {{"x-denied", "1"}, {"x-denied", "2"}},
          .body = "no",
          .details = "walked",
          .grpc_status = GrpcStatus::permission_denied,
          .removed_headers = {"x-there"}};
}

/// One that every kind of answer has.
template <class Act>
Row everywhere(std::string name, std::vector<std::string> writes, Act,
               bool (*shown)(const EnvoyResult&, Phase)) {
  return {.name = std::move(name),
          .writes = std::move(writes),
          .headers = [](HeadersResponse& r) { Act{}(r); },
          .body = [](BodyResponse& r) { Act{}(r); },
          .trailers = [](TrailersResponse& r) { Act{}(r); },
          .stream = [](BodyStream& b) { Act{}(b.response()); },
          .shown = shown};
}

template <class Act>
Row in_headers(std::string name, std::vector<std::string> writes, Act act,
               bool (*shown)(const EnvoyResult&, Phase)) {
  return {.name = std::move(name), .writes = std::move(writes), .headers = act, .shown = shown};
}

template <class Act>
Row override_to(std::string name, std::string field, std::string value, Act) {
  return in_headers(
      "Override" + name, {"ProcessingResponse.mode_override", std::move(field), std::move(value)},
      [](HeadersResponse& r) { r.override_mode(Act{}()); },
      [](auto& result, Phase) { return result.mode_overrides.size() == 1; });
}

void add_headers(std::vector<Row>& all) {
  all.push_back(everywhere(
      "Set",
      {"HeadersResponse.response", "BodyResponse.response", "TrailersResponse.header_mutation",
       "CommonResponse.header_mutation", "HeaderMutation.set_headers", "HeaderValueOption.header",
       "HeaderValue.key", "HeaderValue.raw_value", "HeaderValueOption.append",
       "HeaderValueOption.append_action", "HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD"},
      [](auto& r) { r.set_header("X-There", "new"); },
      [](auto& result, Phase p) { return values(seen(result, p), "x-there") == Values{"new"}; }));
  all.push_back(everywhere(
      "SetEmpty", {}, [](auto& r) { r.set_header("x-empty", ""); },
      [](auto& result, Phase p) { return values(seen(result, p), "x-empty") == Values{""}; }));
  all.push_back(everywhere(
      "Append", {"BoolValue.value"}, [](auto& r) { r.append_header("x-there", "c"); },
      [](auto& result, Phase p) {
        return values(seen(result, p), "x-there") == Values{"a", "b", "c"};
      }));
  all.push_back(everywhere(
      "Remove", {"HeaderMutation.remove_headers"}, [](auto& r) { r.remove_header("x-there"); },
      [](auto& result, Phase p) { return values(seen(result, p), "x-there").empty(); }));
  all.push_back(everywhere(
      "SetDenied", {}, [](auto& r) { r.set_header("x-envoyfoo", "1"); },
      [](auto& result, Phase p) { return values(seen(result, p), "x-envoyfoo") == Values{"1"}; }));
  Row path = everywhere(
      "SetPath", {}, [](auto& r) { r.set_header(":path", "/new"); },
      [](auto& result, Phase p) { return values(seen(result, p), ":path") == Values{"/new"}; });
  path.phases = {Phase::request_headers, Phase::request_body};
  all.push_back(std::move(path));
  Row status = everywhere(
      "SetStatus", {}, [](auto& r) { r.set_header(":status", "201"); },
      [](auto& result, Phase) { return result.caller.status == 201; });
  status.phases = {Phase::response_headers, Phase::response_body};
  all.push_back(std::move(status));
  // Of no body in these plays.
  Row length = everywhere(
      "SetLength", {}, [](auto& r) { r.set_header("content-length", "999"); },
      [](auto& result, Phase p) {
        return values(seen(result, p), "content-length") == Values{"999"};
      });
  length.phases = {Phase::request_headers, Phase::response_headers, Phase::request_body,
                   Phase::response_body};
  all.push_back(std::move(length));
}

void add_bodies(std::vector<Row>& all) {
  all.push_back({.name = "ReplaceBody",
                 .writes = {"CommonResponse.body_mutation", "BodyMutation.body",
                            "BodyMutation.streamed_response", "StreamedBodyResponse.body"},
                 .body = [](BodyResponse& r) { r.replace_body("n"); },
                 .stream = [](BodyStream& b) { b.write("n"); },
                 .shown =
                     [](auto& result, Phase p) {
                       const std::string& body = body_seen(result, p);
                       return !body.empty() && body.find_first_not_of('n') == std::string::npos;
                     },
                 .drops_stream = true});
  all.push_back({.name = "ClearBody",
                 .writes = {"BodyMutation.clear_body", "StreamedBodyResponse.end_of_stream"},
                 .body = [](BodyResponse& r) { r.clear_body(); },
                 .stream = [](BodyStream& b) { b.finish(); },
                 .shown = [](auto& result, Phase p) { return body_seen(result, p).empty(); },
                 .drops_stream = true});
  Row replace = in_headers(
      "Replace",
      {"CommonResponse.status", "ResponseStatus.CONTINUE_AND_REPLACE", "BodyMutation.body"},
      [](HeadersResponse& r) { r.continue_and_replace("replaced"); },
      [](auto& result, Phase p) { return body_seen(result, p) == "replaced"; });
  replace.chain_differs_with_trailers = "in a chain nobody sees trailers of that direction";
  all.push_back(std::move(replace));
  // Each sets a header, without which it would not count.
  all.push_back({.name = "ClearRouteCache",
                 .writes = {"CommonResponse.clear_route_cache"},
                 .headers =
                     [](HeadersResponse& r) {
                       r.set_header("x-route", "1");
                       r.clear_route_cache();
                     },
                 .body =
                     [](BodyResponse& r) {
                       r.set_header("x-route", "1");
                       r.clear_route_cache();
                     },
                 .stream =
                     [](BodyStream& b) {
                       b.response().set_header("x-route", "1");
                       b.clear_route_cache();
                     },
                 .shown = [](auto& result, Phase) { return result.route_cache_cleared; }});
  all.push_back({.name = "ClearRouteCacheAlone",
                 .headers = [](HeadersResponse& r) { r.clear_route_cache(); },
                 .body = [](BodyResponse& r) { r.clear_route_cache(); },
                 .stream = [](BodyStream& b) { b.clear_route_cache(); },
                 .shown = [](auto& result, Phase) { return result.route_cache_cleared; }});
}

void add_replies(std::vector<Row>& all) {
  all.push_back(everywhere(
      "Respond",
      {"ProcessingResponse.immediate_response", "ImmediateResponse.status", "HttpStatus.code",
       "ImmediateResponse.headers", "ImmediateResponse.body", "ImmediateResponse.grpc_status",
       "GrpcStatus.status", "ImmediateResponse.details"},
      [](auto& r) { r.respond(denial()); }, denied));
  all.push_back(everywhere(
      "Stop", {}, [](auto&) { throw StopRequestProcessing(denial()); }, denied));
  Row streamed = in_headers(
      "RespondStreaming",
      {"ProcessingResponse.streamed_immediate_response",
       "StreamedImmediateResponse.headers_response", "HttpHeaders.headers", "HeaderMap.headers",
       "StreamedImmediateResponse.body_response"},
      [](HeadersResponse& r) {
        StreamedResponse& response =
            r.respond_streaming(203, {{"x-streamed", "1"}, {"content-type", "text/plain"}});
        response.write("one");
        response.write("two");
      },
      [](auto& result, Phase) {
        return result.caller.status == 203 && result.caller.body == "onetwo" &&
               values(result.caller.headers, "x-streamed") == Values{"1"};
      });
  all.push_back(streamed);
  streamed.name = "RespondStreamingHeadAlone";
  streamed.chain_differs_after = "a chain sends it when the handler is done, and all with it";
  streamed.writes = {};
  streamed.headers = [](HeadersResponse& r) { r.respond_streaming(204, {}).finish(); };
  streamed.shown = [](auto& result, Phase) { return result.caller.status == 204; };
  all.push_back(streamed);
  streamed.name = "RespondStreamingTrailers";
  streamed.writes = {"StreamedImmediateResponse.trailers_response"};
  streamed.headers = [](HeadersResponse& r) {
    StreamedResponse& response = r.respond_streaming(203);
    response.write("one");
    response.finish({{"x-t", "1"}});
  };
  streamed.chain_differs_after = nullptr;
  streamed.shown = [](auto& result, Phase) { return result.caller.status == 203; };
  streamed.chain_differs = "a chain sends it as an immediate response, which has no trailers";
  all.push_back(std::move(streamed));
}

void add_extras(std::vector<Row>& all) {
  all.push_back(everywhere(
      "Metadata", {"ProcessingResponse.dynamic_metadata"},
      [](auto& r) { r.set_dynamic_metadata("walk", Struct().set("key", "value")); },
      [](auto& result, Phase) { return emitted(result, {"key"}); }));
  all.push_back(everywhere(
      "MoreMetadata", {},
      [](auto& r) {
        r.set_dynamic_metadata("walk", Struct().set("first", 1));
        r.set_dynamic_metadata("walk", Struct().set("second", "2"));
      },
      [](auto& result, Phase) {
        return emitted(result, {"first", "second"});
      }));
  all.push_back(everywhere(
      "TypedMetadata",
      {"ProcessingResponse.typed_dynamic_metadata", "TypedDynamicMetadataEntry.key",
       "TypedDynamicMetadataEntry.value", "Any.type_url", "Any.value"},
      [](auto& r) { r.set_typed_dynamic_metadata("walk", "type.example.com/T", "bytes"); },
      nullptr));
  all.push_back(everywhere(
      "DrainRequests", {"ProcessingResponse.request_drain_requests"},
      [](auto& r) { r.request_drain_requests(); }, nullptr));
  all.push_back(everywhere(
      "DrainResponses", {"ProcessingResponse.request_drain_responses"},
      [](auto& r) { r.request_drain_responses(); }, nullptr));
  all.push_back(everywhere(
      "DrainBoth", {"ProcessingResponse.request_drain"},
      [](auto& r) {
        r.request_drain_requests();
        r.request_drain_responses();
      },
      nullptr));
}

template <BodySendMode mode>
void add_body_mode(std::vector<Row>& all) {
  const std::string name(to_string(mode));
  // GRPC is left out, which is told.
  const bool written = mode != BodySendMode::grpc && mode != BodySendMode::none;
  const auto field = [&](const char* of) {
    return written ? of : "ProcessingResponse.mode_override";
  };
  const std::string value = written ? "BodySendMode." + name : "ProcessingResponse.mode_override";
  Row request = override_to("RequestBody" + name, field("ProcessingMode.request_body_mode"), value,
                            [] { return ModeOverride{.request_body_mode = mode}; });
  Row response = override_to("ResponseBody" + name, field("ProcessingMode.response_body_mode"),
                             value, [] { return ModeOverride{.response_body_mode = mode}; });
  if (mode == BodySendMode::grpc) request.writes = response.writes = {};
  // Weaker than what others may have it in.
  if (mode != BodySendMode::buffered) request.spared = response.spared = Spared::but_for_handlers;
  all.push_back(std::move(request));
  all.push_back(std::move(response));
}

template <auto member>
void add_header_mode(std::vector<Row>& all, const std::string& name, const std::string& field) {
  all.push_back(override_to(name + "Skip", field, "HeaderSendMode.SKIP", [] {
    ModeOverride mode;
    mode.*member = HeaderSendMode::skip;
    return mode;
  }));
  all.back().spared = name == "ResponseHeaders" ? Spared::but_for_names : Spared::but_for_handlers;
  all.push_back(override_to(name + "Send", field, "HeaderSendMode.SEND", [] {
    ModeOverride mode;
    mode.*member = HeaderSendMode::send;
    return mode;
  }));
}

void add_modes(std::vector<Row>& all) {
  add_body_mode<BodySendMode::none>(all);
  add_body_mode<BodySendMode::streamed>(all);
  add_body_mode<BodySendMode::buffered>(all);
  add_body_mode<BodySendMode::buffered_partial>(all);
  add_body_mode<BodySendMode::full_duplex_streamed>(all);
  add_body_mode<BodySendMode::grpc>(all);
  add_header_mode<&ModeOverride::request_header_mode>(all, "RequestHeaders",
                                                      "ProcessingMode.request_header_mode");
  add_header_mode<&ModeOverride::response_header_mode>(all, "ResponseHeaders",
                                                       "ProcessingMode.response_header_mode");
  add_header_mode<&ModeOverride::request_trailer_mode>(all, "RequestTrailers",
                                                       "ProcessingMode.request_trailer_mode");
  add_header_mode<&ModeOverride::response_trailer_mode>(all, "ResponseTrailers",
                                                        "ProcessingMode.response_trailer_mode");
}

}  // namespace

const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> made;
    made.push_back(everywhere(
        "Continue",
        {"ProcessingResponse.request_headers", "ProcessingResponse.response_headers",
         "ProcessingResponse.request_body", "ProcessingResponse.response_body",
         "ProcessingResponse.request_trailers", "ProcessingResponse.response_trailers"},
        [](auto&) {}, nullptr));
    add_headers(made);
    add_bodies(made);
    add_replies(made);
    add_extras(made);
    add_modes(made);
    return made;
  }();
  return all;
}

const std::vector<Never>& never_written() {
  static const std::vector<Never> all{
      {"HeaderValue.value", "raw_value holds the value; Envoy reads nothing else"},
      {"HeaderValueOption.keep_empty_value", "Envoy ignores it: an empty value is set"},
      {"HeaderAppendAction.ADD_IF_ABSENT", "Envoy reads `append` alone, which cannot say it"},
      {"HeaderAppendAction.OVERWRITE_IF_EXISTS", "Envoy reads `append` alone"},
      {"CommonResponse.trailers", "Envoy ignores it"},
      {"ResponseStatus.CONTINUE", "the default, which is left out"},
      {"HeaderAppendAction.APPEND_IF_EXISTS_OR_ADD", "the default, which is left out"},
      {"HttpHeaders.attributes", "of requests only"},
      {"AttributesEntry.key", "of requests only"},
      {"AttributesEntry.value", "of requests only"},
      {"HttpHeaders.end_of_stream", "the head leaves before it is known whether a body follows"},
      {"BodySendMode.NONE", "the default, which is left out; Envoy takes it so"},
      {"BodySendMode.GRPC", "Envoy takes it for NONE"},
      {"HeaderSendMode.DEFAULT", "the default, which is left out"},
  };
  return all;
}

}  // namespace extproc::completeness
