#include "completeness/client.h"

#include <memory>
#include <protozero/pbf_writer.hpp>

#include "stream/async_fixture.h"

namespace extproc::completeness {
namespace {

using stream::AsyncFixture;

constexpr ProtocolConfiguration kGrpc{BodySendMode::grpc, BodySendMode::grpc, false};

Service compressing() {
  auto handlers = std::make_shared<Handlers>("P");
  handlers->process<Phase::request_body>([](auto&, auto&, auto&, auto& r) {
    r.replace_body("small");
    r.grpc_message_compressed();
  });
  handlers->process<Phase::response_body>([](BodyStream& body, Context&, Request&) -> Task<> {
    while (auto chunk = co_await body.read()) body.write_compressed(chunk->body());
  });
  return handlers;
}

std::vector<std::string> grpc_bodies(const Service& processor, HttpBody::Flags last) {
  AsyncFixture f(processor);
  f.config = {kGrpc.request_body_mode, kGrpc.response_body_mode, false};
  for (const Phase phase : {Phase::request_body, Phase::response_body}) {
    f.body(phase, "message");
    f.body(phase, "", false, last);
  }
  return f.sent_bytes;
}

Service slow() {
  auto handlers = std::make_shared<Handlers>("P");
  handlers->process<Phase::request_headers>(
      [](const HttpHeaders&, Context& context, Request&, HeadersResponse&) -> Task<> {
        boost::asio::steady_timer timer(executor(context), std::chrono::hours(1));
        co_await timer.async_wait(boost::asio::deferred);
      });
  return handlers;
}

Service echoing() {
  auto handlers = std::make_shared<Handlers>("P");
  const auto echo = [](BodyStream& body, Context&, Request&) -> Task<> {
    while (auto chunk = co_await body.read()) body.write(chunk->body());
  };
  handlers->process<Phase::request_body>(echo).process<Phase::response_body>(echo);
  return handlers;
}

std::vector<std::string> with_windows(const Service& processor) {
  AsyncFixture f(processor);
  std::string init;
  protozero::pbf_writer message(init);
  {
    protozero::pbf_writer windows(message, 12);
    for (const unsigned field : {1U, 2U, 3U, 4U}) windows.add_int64(field, 10);
  }
  {
    protozero::pbf_writer config(message, 11);
    config.add_enum(1, 4);
    config.add_enum(2, 4);
  }
  f.send(init);
  for (const Phase phase : {Phase::request_body, Phase::response_body}) f.body(phase, "12345678");
  return f.sent_bytes;
}

}  // namespace

const std::vector<ClientPlay>& client_plays() {
  static const std::vector<ClientPlay> all{
      {"GrpcMessages",
       {"StreamedBodyResponse.grpc_message_compressed",
        "StreamedBodyResponse.end_of_stream_without_message"},
       compressing,
       [](const Service& p) { return grpc_bodies(p, {.end_of_stream_without_message = true}); }},
      {"DrainComplete",
       {"StreamedBodyResponse.drain_complete"},
       compressing,
       [](const Service& p) { return grpc_bodies(p, {.drain_complete = true}); }},
      {"MoreTime",
       {"ProcessingResponse.override_message_timeout", "Duration.seconds", "Duration.nanos"},
       slow,
       [](const Service& p) {
         AsyncFixture f(p);
         f.settings.filter.max_message_timeout = std::chrono::milliseconds(1500);
         f.headers(Phase::request_headers);
         f.pass(std::chrono::milliseconds(100));
         return f.sent_bytes;
       }},
      {"Windows",
       {"ProcessingResponse.server_window_update",
        "ServerWindowUpdate.window_increment_downstream_to_sidestream",
        "ServerWindowUpdate.window_increment_upstream_to_sidestream"},
       echoing,
       with_windows},
  };
  return all;
}

}  // namespace extproc::completeness
