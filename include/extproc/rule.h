#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "extproc/export.h"
#include "extproc/phase.h"

namespace extproc {

/// What an answer can ask for that Envoy would refuse, ignore, or take for something else. The
/// library answers legally all the same, logs each rule once for a processor, and counts it
/// (Stats::misused_answers).
enum class Rule : std::uint8_t {
  /// `host` and pseudo-headers cannot be removed: Envoy leaves them. (This and the next two fail
  /// the request where the filter's mutation_rules have disallow_is_error.)
  header_not_removable,
  /// Pseudo-headers cannot be appended to: Envoy leaves them. (Of this and the next one `:method`
  /// is excepted together with continue_and_replace.)
  header_not_appendable,
  /// host, :authority, :method, :scheme and whatever begins with "x-envoy" stay as they are unless
  /// the filter's mutation_rules allow it.
  header_denied,
  /// A name or value with characters that HTTP does not allow: Envoy fails the request, whatever
  /// failure_mode_allow says; in an immediate response it drops that header and all behind it.
  header_invalid,
  /// More than 100 headers set, or removed, in one answer: Envoy fails the request, whatever
  /// failure_mode_allow says. Whether the result is too much for it is not looked for: by default
  /// more than 100 headers, or than 60 KiB of them.
  too_many_mutations,
  /// A status below 200, in place of which Envoy would answer 200, or above 599. Sent as 500.
  status_invalid,
  /// Header changes in a body answer count in BUFFERED and BUFFERED_PARTIAL mode only (in STREAMED
  /// mode by chance, when a request's first chunk came with its headers). Left out.
  body_header_mutation,
  /// clear_route_cache counts for requests only, and together with a header change. Left out.
  clear_route_cache,
  /// Envoy would ignore the mode override: see HeadersResponse::override_mode. Left out.
  mode_override,
  /// A response that is written piece by piece is for request_headers only. Left out.
  streamed_response,
  /// An immediate response when the response's headers may be on their way: then Envoy resets the
  /// HTTP stream. Sent all the same.
  immediate_too_late,
  /// A body handler wrote, or asked for something else, after the last chunk was answered. Left
  /// out.
  body_written_too_late,
  /// The handler took so long that its fallback was sent, or that the request's next message was
  /// answered without its own handler; what it answers is dropped.
  answered_too_late,
  /// The answer to headers was to wait for a body that does not come before it: see
  /// HeadersResponse::wait_for_body. It did not wait; header changes with the body are left out.
  body_not_awaited,
  /// The answer to headers waited for the body's handler over a limit, and then all went on without
  /// that one, or the response for that case was sent. (failure_mode_allow does not help there.)
  body_awaited_too_long,
  /// A body where HTTP has none: in a response to HEAD, and of status 204, 304 or below 200, which
  /// an answer of its own may have made it. Left out: on HTTP/1.1 its bytes would begin the next
  /// response.
  body_not_allowed,
  /// content-length set by hand where it need not fit: it is not that of the message, nor of what
  /// an answer puts in place of it, or a handler may change the body behind it. Left out; responses
  /// to HEAD and 304 may have any. Where the headers were not sent, and the filter has
  /// allow_content_length_header, a body of another length ends the stream.
  content_length,
  /// Another mode override to FULL_DUPLEX_STREAMED than the filter is known to allow, see
  /// FilterSettings::allow_mode_override. Left out.
  full_duplex_override,
  /// transfer-encoding set by hand: Envoy frames each message by itself, and would let it go out
  /// beside that. Left out: to an HTTP/1.1 upstream the body could be a request of its own.
  transfer_encoding,
  /// Inside Envoy: a header is set, or appended, with an empty value. Envoy's calls cannot do that:
  /// what is set is removed, what is appended is not.
  header_empty,
  /// Inside Envoy: a handler asked for something that only a gRPC call has (Context::metadata,
  /// deadline, peer_certificate). There is none, and it was told so.
  call_missing,
};

namespace detail {
inline constexpr unsigned kRuleCount = 21;
}
[[deprecated("it grows with Envoy's rules")]] inline constexpr unsigned kRuleCount =
    detail::kRuleCount;

/// Its name, as in "header_not_removable".
EXTPROC_API std::string_view to_string(Rule rule);

/// A rule that an answer broke.
struct Violation {
  Rule rule;
  Phase phase;
  /// The header or field that it is about; may be empty.
  std::string field;
  /// What becomes of it, and what to do.
  std::string text;
};

}  // namespace extproc
