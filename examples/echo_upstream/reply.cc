#include "reply.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

#include "text.h"

namespace echo {
namespace {

namespace http = boost::beast::http;
namespace json = boost::json;

constexpr std::string_view kRedirectPrefix = "/redirect?";
constexpr std::string_view kLocationParameter = "location=";

std::string_view std_view(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

/// The text as a JSON string, which can only hold Unicode.
json::string json_text(std::string_view text, const json::storage_ptr& memory) {
  if (is_utf8(text)) return json::string(text, memory);
  return json::string(latin1_to_utf8(text), memory);
}

json::object headers_object(const Request& request, const json::storage_ptr& memory) {
  json::object headers(memory);
  for (const auto& field : request) {
    const json::string value = json_text(std_view(field.value()), memory);
    const auto [entry, is_new] = headers.emplace(lower_case(std_view(field.name_string())), value);
    if (is_new) continue;
    json::string& joined = entry->value().as_string();
    joined.append(",");
    joined.append(value);
  }
  return headers;
}

std::string describe(const Request& request) {
  unsigned char scratch[4096];
  json::monotonic_resource arena(scratch);
  const json::storage_ptr memory(&arena);
  json::object description(memory);
  description.reserve(5);
  description["method"] = lower_case(std_view(request.method_string()));
  description["path"] = json_text(std_view(request.target()), memory);
  description["headers"] = headers_object(request, memory);
  description["body"] = json_text(request.body(), memory);
  description["message"] = "Hello";
  return json::serialize(description);
}

/// The decoded `location` parameter of a request for /redirect.
std::optional<std::string> redirect_location(std::string_view target) {
  if (!target.starts_with(kRedirectPrefix)) return std::nullopt;
  std::string_view query = target.substr(kRedirectPrefix.size());
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    if (parameter.starts_with(kLocationParameter)) {
      return percent_decode(parameter.substr(kLocationParameter.size()));
    }
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
  }
  return std::nullopt;
}

}  // namespace

Response reply_to(const Request& request) {
  if (const auto location = redirect_location(std_view(request.target()))) {
    if (!is_header_value(*location)) {
      return error_reply(http::status::bad_request, "location has control characters");
    }
    Response response(http::status::permanent_redirect, 11);
    response.set(http::field::location, *location);
    response.prepare_payload();
    return response;
  }
  Response response(http::status::ok, 11);
  response.set(http::field::content_type, "application/json");
  response.body() = describe(request);
  response.prepare_payload();
  return response;
}

Response error_reply(http::status status, boost::beast::string_view reason) {
  Response response(status, 11);
  response.set(http::field::content_type, "text/plain");
  response.body().assign(reason.data(), reason.size());
  response.body() += '\n';
  response.prepare_payload();
  return response;
}

}  // namespace echo
