#include "touch_everything.h"

#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <stdexcept>
#include <string>

#include "check.h"

namespace extproc::fuzz {
namespace {

struct Seen {
  std::size_t bytes = 0;
  std::string last_name;
};

std::size_t read(const HeaderView& headers) {
  std::size_t size = 0;
  for (const auto& [name, value] : headers) {
    size += name.size() + value.size();
    check(headers.value(name).has_value(), "a header that is there is found");
    check(!headers.values(name).empty(), "and so are all its values");
  }
  const auto some = headers.get_headers({{":path", "path"}, {"x-missing", "missing"}});
  check(some.size() == 2, "get_headers gives an entry for each key");
  return size;
}

std::size_t read(const ValueView& value);

std::size_t read(const StructView& view) {
  std::size_t size = 0;
  for (const auto& [name, value] : view.fields()) {
    check(view.find(name).has_value(), "a field that is there is found");
    size += 1 + read(value);
  }
  return size;
}

std::size_t read(const ValueView& value) {
  std::size_t size = value.string().value_or("").size();
  if (const auto object = value.object()) size += read(*object);
  if (const auto list = value.list()) {
    for (const ValueView& element : *list) size += read(element);
  }
  return size;
}

void read(const Context& context, const Request& request) {
  for (const auto& [filter, attributes] : context.attributes()) {
    read(attributes);
    for (const auto& [name, value] : attributes.fields())
      check(context.attribute(name).has_value(), "an attribute that is there is found");
  }
  if (const auto metadata = context.filter_metadata("envoy.filters")) read(*metadata);
  context.typed_filter_metadata("");
  check(!context.peer().empty(), "a call has a peer");
  for (const auto& [name, value] : context.metadata()) check(!name.empty(), "metadata has a name");
  check(!request.id().empty(), "a request has an id, if only \"unknown\"");
  check(request.overhead().count() >= 0, "time runs forward");
  check(request.phase().has_value(), "a handler has a phase");
}

// What goes with an answer.
void add_extras(std::size_t number, PhaseResponse& response) {
  if ((number & 1) != 0) response.set_dynamic_metadata("a", Struct().set("n", number));
  if ((number & 2) != 0) response.set_typed_dynamic_metadata("t", "type", "value");
  if ((number & 4) != 0) response.request_drain_requests();
  if ((number & 8) != 0) response.fall_back_after(std::chrono::milliseconds(number % 300));
}

// Which of the ways to answer, from what the handler was given.
void end_in_some_way(std::size_t number, Context& context, PhaseResponse& response) {
  switch (number % 16) {
    case 3:
      response.respond(form_immediate_response(403, {{"x-a", "1"}, {"X-A", "2"}}, "no"));
      break;
    case 7:
      throw StopRequestProcessing(form_immediate_response(503));
    case 11:
      throw std::runtime_error("failed");
    case 13:
      context.abort(GrpcStatus::aborted, "% \xff message");
      break;
    default:
      break;
  }
}

void change(const HeaderView& headers, PhaseResponse& response) {
  for (const auto& [name, value] : headers) {
    if (value.size() % 3 == 0) response.set_header(name, value);
    if (value.size() % 3 == 1) response.append_header(name, value);
    if (value.size() % 3 == 2) response.remove_header(name);
  }
}

void on_headers(const HttpHeaders& headers, Context& context, Request& request,
                HeadersResponse& response) {
  read(context, request);
  auto& seen = request.state<Seen>();
  seen.bytes += read(headers);
  if (!headers.empty()) seen.last_name = headers.begin()->name;
  change(headers, response);
  response.clear_route_cache(headers.end_of_stream());
  if (seen.bytes % 5 == 1) response.continue_and_replace(seen.last_name);
  if (seen.bytes % 7 == 2)
    response.override_mode({.request_body_mode = static_cast<BodySendMode>(seen.bytes % 6),
                            .response_body_mode = static_cast<BodySendMode>(seen.bytes % 5)});
  if (seen.bytes % 11 == 3) response.respond_streaming(200, {{"X-A", "1"}}).write(seen.last_name);
  add_extras(seen.bytes, response);
  end_in_some_way(seen.bytes, context, response);
}

void on_body(const HttpBody& body, Context& context, Request& request, BodyResponse& response) {
  read(context, request);
  auto& seen = request.state<Seen>();
  seen.bytes += body.bytes().size();
  switch (body.bytes().size() % 4) {
    case 0:
      response.clear_body();
      break;
    case 1:
      response.replace_body(seen.last_name);
      break;
    case 2:
      response.replace_body(body.bytes());
      response.set_header("x-body", body.end_of_stream() ? "last" : "");
      break;
    default:
      break;
  }
  add_extras(seen.bytes, response);
  end_in_some_way(body.bytes().size(), context, response);
}

void on_trailers(const HttpTrailers& trailers, Context& context, Request& request,
                 TrailersResponse& response) {
  read(context, request);
  request.state<Seen>().bytes += read(trailers);
  change(trailers, response);
  end_in_some_way(trailers.size(), context, response);
}

}  // namespace

void TouchEverything::process_request_headers(const HttpHeaders& headers, Context& context,
                                              Request& request, HeadersResponse& response) {
  on_headers(headers, context, request, response);
}

void TouchEverything::process_request_body(const HttpBody& body, Context& context, Request& request,
                                           BodyResponse& response) {
  on_body(body, context, request, response);
}

void TouchEverything::process_request_trailers(const HttpTrailers& trailers, Context& context,
                                               Request& request, TrailersResponse& response) {
  on_trailers(trailers, context, request, response);
}

void TouchEverything::process_response_headers(const HttpHeaders& headers, Context& context,
                                               Request& request, HeadersResponse& response) {
  on_headers(headers, context, request, response);
}

void TouchEverything::process_response_body(const HttpBody& body, Context& context,
                                            Request& request, BodyResponse& response) {
  on_body(body, context, request, response);
}

void TouchEverything::process_response_trailers(const HttpTrailers& trailers, Context& context,
                                                Request& request, TrailersResponse& response) {
  on_trailers(trailers, context, request, response);
}

Task<> SuspendingTouchEverything::process_request_headers(const HttpHeaders& headers,
                                                          Context& context, Request& request,
                                                          HeadersResponse& response) {
  touch_.process_request_headers(headers, context, request, response);
  co_return;
}

Task<> SuspendingTouchEverything::process_request_body(const HttpBody& body, Context& context,
                                                       Request& request, BodyResponse& response) {
  const std::string before(body.bytes());
  co_await boost::asio::post(executor(context), boost::asio::deferred);
  check(body.bytes() == before, "a body is the same after an await");
  touch_.process_request_body(body, context, request, response);
}

Task<> SuspendingTouchEverything::process_response_body(const HttpBody& body, Context& context,
                                                        Request& request, BodyResponse& response) {
  co_await boost::asio::post(executor(context), boost::asio::deferred);
  touch_.process_response_body(body, context, request, response);
}

Task<> StreamingTouchEverything::process_request_headers(const HttpHeaders& headers,
                                                         Context& context, Request& request,
                                                         HeadersResponse& response) {
  co_await boost::asio::post(executor(context), boost::asio::deferred);
  touch_.process_request_headers(headers, context, request, response);
}

Task<> StreamingTouchEverything::process_request_trailers(const HttpTrailers& trailers,
                                                          Context& context, Request& request,
                                                          TrailersResponse& response) {
  touch_.process_request_trailers(trailers, context, request, response);
  co_return;
}

Task<> StreamingTouchEverything::process_response_headers(const HttpHeaders& headers,
                                                          Context& context, Request& request,
                                                          HeadersResponse& response) {
  touch_.process_response_headers(headers, context, request, response);
  co_return;
}

Task<> StreamingTouchEverything::stream_request_body(BodyStream& body, Context&, Request&) {
  while (auto chunk = co_await body.read()) {
    chunk->grpc_message_compressed() ? body.write_compressed(chunk->bytes())
                                     : body.write(chunk->bytes());
  }
}

Task<> StreamingTouchEverything::stream_response_body(BodyStream& body, Context& context,
                                                      Request& request) {
  std::size_t number = 0;
  std::string all;
  while (auto chunk = co_await body.read()) {
    all += chunk->bytes();
    number += chunk->bytes().size();
    const std::string before(chunk->bytes());
    if (number % 2 == 1) co_await boost::asio::post(executor(context), boost::asio::deferred);
    check(chunk->bytes() == before, "a chunk is the same after an await");
    if (number % 3 == 1) body.write(all);
    if (number % 5 == 2) co_await body.writable();
    if (number % 7 == 3) body.finish();
    if (number % 11 == 4) co_return;
    end_in_some_way(number, context, body.response());
  }
  read(context, request);
  body.write(all);
}

}  // namespace extproc::fuzz
