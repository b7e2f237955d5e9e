// What Envoy's rules about answers are called, and what to do about an answer that breaks one.
#include "extproc/rule.h"

#include "rules/advice.h"

namespace extproc {

std::string_view to_string(Rule rule) {
  constexpr std::string_view kNames[detail::kRuleCount] = {
      "header_not_removable", "header_not_appendable", "header_denied",
      "header_invalid",       "too_many_mutations",    "status_invalid",
      "body_header_mutation", "clear_route_cache",     "mode_override",
      "streamed_response",    "immediate_too_late",    "body_written_too_late",
      "answered_too_late",    "body_not_awaited",      "body_awaited_too_long",
      "body_not_allowed",     "content_length",        "full_duplex_override",
      "transfer_encoding",    "header_empty",          "call_missing"};
  return kNames[static_cast<std::size_t>(rule)];
}

namespace rules {

std::string_view advice(Rule rule) {
  switch (rule) {
    case Rule::header_not_removable:
      return "Envoy never removes host or pseudo-headers: set another value instead";
    case Rule::header_not_appendable:
      return "Envoy never appends to pseudo-headers: use set_header";
    case Rule::header_denied:
      return "Envoy leaves it as it is, or fails the request where disallow_is_error is set, "
             "unless the filter's mutation_rules allow the change (allow_all_routing, "
             "allow_envoy); say so in Settings::filter then, or to extproc serve";
    case Rule::header_invalid:
      return "its name or value has characters that HTTP does not allow, so that Envoy fails the "
             "request, and of an immediate response drops this header and all behind it: escape "
             "them";
    case Rule::too_many_mutations:
      return "Envoy accepts 100 headers to set and 100 to remove in one answer, and by default no "
             "more than 100, or 60 KiB, in the result, and fails the request above it";
    case Rule::status_invalid:
      return "an HTTP status must be from 200 to 599: 500 was sent instead";
    case Rule::body_header_mutation:
      return "headers can be changed in the answer to a body in BUFFERED and BUFFERED_PARTIAL mode "
             "only: change them in the headers phase, or before the first write where that waits "
             "for the body (wait_for_body); this was left out";
    case Rule::clear_route_cache:
      return "it counts for requests only, together with a header change: this was left out";
    case Rule::mode_override:
      return "Envoy ignores it where the filter has send_body_without_waiting_for_header_response, "
             "a body mode FULL_DUPLEX_STREAMED of its own or other allowed_override_modes, or for "
             "lack of the body modes: this was left out";
    case Rule::streamed_response:
      return "a response can be written piece by piece in request_headers only: this was left out";
    case Rule::immediate_too_late:
      return "the response's headers may be on their way already, and then Envoy resets the "
             "stream: answer in response_headers, or with a body mode of BUFFERED";
    case Rule::body_written_too_late:
      return "in STREAMED mode each chunk is answered when the next is read, and trailers follow "
             "the last: write before reading on, or use FULL_DUPLEX_STREAMED; this was left out";
    case Rule::answered_too_late:
      return "the fallback was sent in place of its answer: give the handler more time, or let it "
             "stop when Context::cancelled";
    case Rule::body_not_awaited:
      return "the answer to headers waits for a handler over the whole body (stream_request_body, "
             "stream_response_body), in FULL_DUPLEX_STREAMED, or in STREAMED with "
             "send_body_without_waiting_for_header_response; in BUFFERED it need not: set the "
             "filter's mode so";
    case Rule::body_awaited_too_long:
      return "the headers were not decided within this limit, and all went on without the handler "
             "over the body, or the response for that was sent; in FULL_DUPLEX_STREAMED "
             "failure_mode_allow does not help: decide earlier, or raise it";
    case Rule::body_not_allowed:
      return "HTTP has no body in a response to HEAD, nor of status 204, 304 or below 200: its "
             "bytes would begin the connection's next response; it was left out";
    case Rule::content_length:
      return "it is not the length of the body, or a handler may change that: it was left out, "
             "since the library and Envoy say what fits; where the headers are not sent the "
             "stream ended: have the filter send them, or leave out its "
             "allow_content_length_header";
    case Rule::full_duplex_override:
      return "Envoy takes it where the filter has allow_mode_override, of which the server is not "
             "told, and would need other answers then: say so "
             "(FilterSettings::allow_mode_override, --allow-mode-override), or override to "
             "STREAMED; this was left out";
    case Rule::transfer_encoding:
      return "Envoy frames each message by itself, and would let it go out beside that, so that a "
             "body could pass for another request: it was left out";
    case Rule::header_empty:
      return "inside Envoy no header can have an empty value: what was set is removed, what was "
             "appended is not there; remove it, or give it a value";
    case Rule::call_missing:
      return "inside Envoy there is no gRPC call, which alone has it: what the filter is to tell a "
             "processor belongs into its settings (filter_config), and of the caller's certificate "
             "attributes tell (connection.uri_san_peer_certificate)";
  }
  return "";
}

}  // namespace rules

}  // namespace extproc
