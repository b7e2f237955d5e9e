#pragma once

#include <optional>
#include <string>

#include "exchange/kept_message.h"
#include "exchange/streamed_reply.h"
#include "extproc/body.h"
#include "extproc/headers.h"
#include "extproc/response.h"

namespace extproc::exchange {

/// What one handler call works on; reused from call to call, so that its memory is allocated once.
struct Scratch {
  HttpHeaders headers;
  HttpBody body;
  HttpTrailers trailers;
  HeadersResponse headers_response;
  BodyResponse body_response;
  TrailersResponse trailers_response;
  /// Where request headers may be answered piece by piece.
  std::optional<StreamedReply> streamed_reply;
  /// The message, where it must outlive the call that delivered it.
  KeptMessage message;
  /// For putting a value together.
  std::string text;
};

}  // namespace extproc::exchange
