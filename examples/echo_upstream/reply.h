#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace echo {

using Request = boost::beast::http::request<boost::beast::http::string_body>;
using Response = boost::beast::http::response<boost::beast::http::string_body>;

/// The answer to a request: 200 with a JSON description of it, {"method", "path", "headers",
/// "body", "message"}, or for /redirect?location=… a 308 to that location. The method and the
/// header names are in lower case, `path` is the whole request target, and the values of a repeated
/// header are joined with commas.
Response reply_to(const Request& request);

/// An answer to a request that could not be read; the connection ends after it.
Response error_reply(boost::beast::http::status status, boost::beast::string_view reason);

}  // namespace echo
