// The fields of ProcessingResponse besides phases, as libprotobuf reads them.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "wire/expect_response.h"
#include "wire/oracle.h"
#include "wire/response_writer.h"

namespace extproc::wire {
namespace {

using namespace std::chrono_literals;
using oracle::literal;

Case extras(const char* what, void (*fill)(PhaseResponse&), const std::string& expected) {
  return {what,
          [fill](std::string& out) {
            TrailersResponse response;
            fill(response);
            write_trailers_response(out, Phase::request_trailers, response);
            ASSERT_NE(response.extras_or_null(), nullptr);
            write_extras(out, *response.extras_or_null());
          },
          "request_trailers {} " + expected};
}

Case mode(const char* what, const ModeOverride& mode, const std::string& expected) {
  return {what,
          [mode](std::string& out) {
            HeadersResponse response;
            response.override_mode(mode);
            write_headers_response(out, Phase::request_headers, response);
            write_extras(out, *response.extras_or_null());
          },
          "request_headers {} mode_override { " + expected + " }"};
}

Case immediate(const char* what, const ImmediateResponse& response, const std::string& expected) {
  return {what, [response](std::string& out) { write_immediate_response(out, response); },
          "immediate_response { status { code: OK } " + expected + " }"};
}

std::vector<Case> cases() {
  const std::string long_text(70'000, 'x');
  return {
      extras(
          "dynamic metadata",
          [](PhaseResponse& r) {
            r.set_dynamic_metadata("a", Struct().set("x", 1));
            r.set_dynamic_metadata("b", Struct());
          },
          R"(dynamic_metadata { fields { key: "a" value { struct_value { fields { key: "x" value { number_value: 1 } } } } }
                                   fields { key: "b" value { struct_value {} } } })"),
      extras(
          "typed dynamic metadata",
          [](PhaseResponse& r) {
            r.set_typed_dynamic_metadata("a", "type/A", std::string_view("\0\xff", 2));
            r.set_typed_dynamic_metadata("", "", "");
          },
          R"(typed_dynamic_metadata { key: "a" value { type_url: "type/A" value: "\000\377" } }
                typed_dynamic_metadata { key: "" value {} })"),
      extras(
          "drain of requests", [](PhaseResponse& r) { r.request_drain_requests(); },
          "request_drain_requests: true"),
      extras(
          "drain of responses", [](PhaseResponse& r) { r.request_drain_responses(); },
          "request_drain_responses: true"),
      extras(
          "drain of both, for older clients too",
          [](PhaseResponse& r) {
            r.request_drain_requests();
            r.request_drain_responses();
          },
          "request_drain: true request_drain_requests: true request_drain_responses: true"),
      mode("bodies",
           {.request_body_mode = BodySendMode::none, .response_body_mode = BodySendMode::grpc},
           "request_body_mode: NONE response_body_mode: GRPC"),
      mode("everything",
           {.response_header_mode = HeaderSendMode::skip,
            .request_body_mode = BodySendMode::buffered_partial,
            .response_body_mode = BodySendMode::full_duplex_streamed,
            .request_trailer_mode = HeaderSendMode::send,
            .response_trailer_mode = HeaderSendMode::skip,
            .request_header_mode = HeaderSendMode::send},
           "request_header_mode: SEND response_header_mode: SKIP request_body_mode: "
           "BUFFERED_PARTIAL "
           "response_body_mode: FULL_DUPLEX_STREAMED request_trailer_mode: SEND "
           "response_trailer_mode: SKIP"),
      immediate("a gRPC status", {.grpc_status = GrpcStatus::unauthenticated},
                "grpc_status { status: 16 }"),
      immediate("OK as a gRPC status", {.grpc_status = GrpcStatus::ok}, "grpc_status {}"),
      immediate("a gRPC status of the user's own", {.grpc_status = static_cast<GrpcStatus>(200)},
                "grpc_status { status: 200 }"),
      immediate("removed headers", {.removed_headers = {"Content-Type", "b"}},
                R"(headers { remove_headers: "content-type" remove_headers: "b" })"),
      immediate("all at once", {.body = "b", .details = "d", .grpc_status = GrpcStatus::internal},
                R"(body: "b" details: "d" grpc_status { status: 13 })"),
      {"a streamed head",
       [](std::string& out) {
         const Header headers[] = {{":status", "200"}, {"a", ""}, {"b", "\xff"}};
         write_streamed_head(out, headers);
       },
       R"(streamed_immediate_response { headers_response { headers { headers { key: ":status" raw_value: "200" }
          headers { key: "a" } headers { key: "b" raw_value: "\377" } } } })"},
      {"a streamed head of nothing", [](std::string& out) { write_streamed_head(out, {}); },
       "streamed_immediate_response { headers_response { headers {} } }"},
      {"a streamed chunk", [=](std::string& out) { write_streamed_chunk(out, long_text, false); },
       "streamed_immediate_response { body_response { body: " + literal(long_text) + " } }"},
      {"a last chunk of nothing", [](std::string& out) { write_streamed_chunk(out, {}, true); },
       "streamed_immediate_response { body_response { end_of_stream: true } }"},
      {"streamed trailers",
       [](std::string& out) {
         const Header trailers[] = {{"grpc-status", "0"}};
         write_streamed_trailers(out, trailers);
       },
       R"(streamed_immediate_response { trailers_response { headers { key: "grpc-status" raw_value: "0" } } })"},
      {"a streamed body with all of its flags",
       [](std::string& out) {
         write_streamed_body_response(out, Phase::response_body, {"x", true, {true, true, true}});
       },
       R"(response_body { response { body_mutation { streamed_response { body: "x" end_of_stream: true
          end_of_stream_without_message: true grpc_message_compressed: true drain_complete: true } } } })"},
      {"more time", [](std::string& out) { write_message_timeout(out, 1500ms); },
       "override_message_timeout { seconds: 1 nanos: 500000000 }"},
      {"a little more time", [](std::string& out) { write_message_timeout(out, 1ms); },
       "override_message_timeout { nanos: 1000000 }"},
      {"a long time", [](std::string& out) { write_message_timeout(out, 24h); },
       "override_message_timeout { seconds: 86400 }"},
      {"a window in one direction", [](std::string& out) { write_window_update(out, 5, 0); },
       "server_window_update { window_increment_downstream_to_sidestream: 5 }"},
      {"windows in both",
       [](std::string& out) { write_window_update(out, -1, std::int64_t{1} << 40); },
       "server_window_update { window_increment_downstream_to_sidestream: -1 "
       "window_increment_upstream_to_sidestream: 1099511627776 }"},
  };
}

TEST(OracleExtras, Table) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.what);
    // Behind whatever stands in the buffer.
    std::string bytes = "frame";
    c.write(bytes);
    ASSERT_TRUE(bytes.starts_with("frame"));
    expect_response(bytes.substr(5), c.expected);
  }
}

TEST(OracleExtras, RandomBodiesAndMetadata) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const std::string body = oracle::random_bytes(random, 70'000);
    const std::string value = oracle::random_bytes(random, 300);
    const HttpBody::Flags flags{random() % 2 == 0, random() % 2 == 0, random() % 2 == 0};
    const bool end = random() % 2 == 0;
    const auto when = [](bool set, const char* name) {
      return set ? std::string(name) + ": true " : std::string();
    };
    BodyResponse response;
    response.set_typed_dynamic_metadata("ns", "type", value);
    std::string bytes;
    write_streamed_body_response(bytes, Phase::request_body, {body, end, flags});
    write_extras(bytes, *response.extras_or_null());
    expect_response(
        bytes,
        "request_body { response { body_mutation { streamed_response { body: " + literal(body) +
            " " + when(end, "end_of_stream") +
            when(flags.end_of_stream_without_message, "end_of_stream_without_message") +
            when(flags.grpc_message_compressed, "grpc_message_compressed") +
            when(flags.drain_complete, "drain_complete") +
            R"(} } } } typed_dynamic_metadata { key: "ns" value { type_url: "type" value: )" +
            literal(value) + " } }");
  }
}

}  // namespace
}  // namespace extproc::wire
