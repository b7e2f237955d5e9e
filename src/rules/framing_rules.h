#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "extproc/header_mutation.h"
#include "extproc/headers.h"
#include "extproc/processing_mode.h"

namespace extproc::rules {

using Operation = HeaderMutation::Operation;

/// What stands behind the head of a response.
enum class Content : std::uint8_t {
  body,
  nothing,  ///< HTTP has no body there
  tunnel,   ///< bytes of another protocol, which are no body either
};

/// `method`: the request's; empty where it is not known, as a status of 0.
constexpr Content content_of(std::string_view method, int status) {
  if (status == 101 || (method == "CONNECT" && status >= 200 && status < 300))
    return Content::tunnel;
  const bool none =
      method == "HEAD" || (status > 0 && status < 200) || status == 204 || status == 304;
  return none ? Content::nothing : Content::body;
}

/// Whether the content-length of such a response is that of another, which has a body.
constexpr bool tells_of_another(std::string_view method, int status) {
  return status == 304 || (method == "HEAD" && status >= 200 && status != 204);
}

/// Whether Envoy takes content-length out of headers whose body is sent to the processor in `mode`,
/// where the filter has no allow_content_length_header.
constexpr bool removes_content_length(BodySendMode mode, bool headers_sent) {
  return mode == BodySendMode::streamed || mode == BodySendMode::buffered_partial ||
         mode == BodySendMode::full_duplex_streamed ||
         (mode == BodySendMode::buffered && !headers_sent);
}

/// What a change of headers says of how the message is framed: any of these.
enum FramingChange : unsigned {
  kSetsLength = 1,
  kRemovesLength = 2,
  kSetsStatus = 4,
  kSetsMethod = 8,
  kSetsTransferEncoding = 16,
};

// Names are in lower case. Inlined: each answer to headers is asked.
inline unsigned framing_changes(const HeaderMutation& mutation) {
  unsigned found = 0;
  for (std::size_t i = 0; i < mutation.size(); ++i) {
    const HeaderMutation::Entry entry = mutation.at(i);
    if (entry.name.size() == 14 && entry.name == "content-length") {
      found |= entry.operation == Operation::remove ? kRemovesLength : kSetsLength;
    } else if (entry.name.size() == 7 && entry.operation != Operation::remove) {
      if (entry.name == ":status") found |= kSetsStatus;
      if (entry.name == ":method") found |= kSetsMethod;
    } else if (entry.name.size() == 17 && entry.name == "transfer-encoding" &&
               entry.operation != Operation::remove) {
      found |= kSetsTransferEncoding;
    }
  }
  return found;
}

/// The status of a response with these headers; 0 where it says none.
int status_of(std::span<const Header> headers);
/// What a change makes of it: Envoy takes any number from 200 up, and leaves it otherwise.
int status_after(int status, const HeaderMutation& mutation);

/// Whether the change makes the request one of HEAD, where it sets the method.
bool makes_head(const HeaderMutation& mutation);

/// Whether all that sets `name` overwrites it with `value`.
bool sets_only(const HeaderMutation& mutation, std::string_view name, std::string_view value);

/// Leaves out all that sets `name`.
void leave_out(HeaderMutation& mutation, std::string_view name);

/// Headers that a message may have, and their bytes, by Envoy's default (max_headers_count,
/// max_request_headers_kb): it fails a message that an answer makes larger.
inline constexpr std::size_t kMostHeaders = 100;
inline constexpr std::size_t kMostHeaderBytes = std::size_t{60} << 10;

/// Whether the headers are within that after the change, and the change within what one answer may
/// have.
bool fits(std::span<const Header> headers, const HeaderMutation& mutation);

}  // namespace extproc::rules
