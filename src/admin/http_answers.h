#pragma once

#include <boost/beast/core/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>

#include "admin/http_limits.h"
#include "admin/http_message.h"

namespace extproc::admin {

using HttpMessage = boost::beast::http::request<boost::beast::http::string_body>;

/// An answer that says, as a line of text, what is wrong.
HttpResponse refusal(unsigned status, std::string text);
/// What a request is answered that could not be read; nothing where the connection just ended.
/// `in_line`: nothing but a part of its first line came.
std::optional<HttpResponse> refusal_of(boost::beast::error_code error, bool in_line,
                                       const HttpLimits& limits);
/// What is answered in place of the handler; nothing where the request is right.
std::optional<HttpResponse> refuse_head(const HttpMessage& message, const HttpLimits& limits);
/// Views of the message.
HttpRequest request_of(const HttpMessage& message);

}  // namespace extproc::admin
