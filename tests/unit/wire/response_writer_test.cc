#include "wire/response_writer.h"

#include <gtest/gtest.h>

#include <string>

#include "base/access.h"

namespace extproc::wire {
namespace {

using namespace std::string_literals;

// The bytes as Envoy's protobuf would write the same message; the oracle test compares many more
// with libprotobuf itself.

TEST(WriteResponse, LeftAloneMeansContinue) {
  HeadersResponse headers;
  BodyResponse body;
  TrailersResponse trailers;
  std::string out = "kept";
  write_headers_response(out, Phase::request_headers, headers);
  write_headers_response(out, Phase::response_headers, headers);
  write_body_response(out, Phase::request_body, body);
  write_body_response(out, Phase::response_body, body);
  write_trailers_response(out, Phase::request_trailers, trailers);
  write_trailers_response(out, Phase::response_trailers, trailers);
  EXPECT_EQ(out, "kept\x0a\0\x12\0\x1a\0\x22\0\x2a\0\x32\0"s);
}

TEST(WriteResponse, SetsHeadersInBothAppendFields) {
  HeadersResponse response;
  response.set_header("A", "1");
  response.append_header("b", "2");
  response.remove_header("C");
  std::string out;
  write_headers_response(out, Phase::request_headers, response);
  const std::string set =
      "\x0a\x0c\x0a\x06\x0a\x01"
      "a\x1a\x01"
      "1\x12\x00\x18\x02"s;
  const std::string append =
      "\x0a\x0c\x0a\x06\x0a\x01"
      "b\x1a\x01"
      "2\x12\x02\x08\x01"s;
  const std::string remove =
      "\x12\x01"
      "c"s;
  EXPECT_EQ(out, "\x0a\x23\x0a\x21\x12\x1f"s + set + append + remove);
}

TEST(WriteResponse, LeavesAnEmptyValueOut) {
  TrailersResponse response;
  response.set_header("a", "");
  std::string out;
  write_trailers_response(out, Phase::request_trailers, response);
  EXPECT_EQ(out,
            "\x2a\x0d\x0a\x0b\x0a\x09\x0a\x03\x0a\x01"
            "a\x12\x00\x18\x02"s);
}

TEST(WriteResponse, ChangesABody) {
  BodyResponse response;
  response.replace_body("xyz");
  response.clear_route_cache();
  std::string out;
  write_body_response(out, Phase::request_body, response);
  EXPECT_EQ(out, "\x1a\x0b\x0a\x09\x28\x01\x1a\x05\x0a\x03xyz"s);
  out.clear();
  detail::Access::reset(response);
  response.clear_body();
  write_body_response(out, Phase::response_body, response);
  EXPECT_EQ(out, "\x22\x06\x0a\x04\x1a\x02\x10\x01"s);
  out.clear();
  detail::Access::reset(response);
  response.replace_body("");
  write_body_response(out, Phase::response_body, response);
  EXPECT_EQ(out, "\x22\x06\x0a\x04\x1a\x02\x0a\x00"s);
}

TEST(WriteResponse, StreamsABody) {
  std::string out;
  write_streamed_body_response(out, Phase::request_body, {"xyz", true});
  EXPECT_EQ(out, "\x1a\x0d\x0a\x0b\x1a\x09\x1a\x07\x0a\x03xyz\x10\x01"s);
}

TEST(WriteResponse, ContinuesAndReplaces) {
  HeadersResponse response;
  response.continue_and_replace("b");
  std::string out;
  write_headers_response(out, Phase::request_headers, response);
  EXPECT_EQ(out,
            "\x0a\x09\x0a\x07\x08\x01\x1a\x03\x0a\x01"
            "b"s);
}

TEST(WriteResponse, AnswersAtOnce) {
  const ImmediateResponse response{
      .status = 403, .headers = {{"X-A", "1"}, {"x-a", "2"}}, .body = "no", .details = "denied"};
  std::string out;
  write_immediate_response(out, response);
  const std::string first =
      "\x0a\x0e\x0a\x08\x0a\x03x-a\x1a\x01"
      "1\x12\x00\x18\x02"s;
  const std::string second =
      "\x0a\x0e\x0a\x08\x0a\x03x-a\x1a\x01"
      "2\x12\x02\x08\x01"s;
  EXPECT_EQ(out, "\x3a\x33\x0a\x03\x08\x93\x03\x12\x20"s + first + second +
                     "\x1a\x02no\x2a\x06"
                     "denied");
}

TEST(WriteResponse, WritesLongLengths) {
  BodyResponse response;
  const std::string body(70'000, 'x');
  response.replace_body(body);
  std::string out;
  write_body_response(out, Phase::request_body, response);
  ASSERT_GT(out.size(), body.size());
  EXPECT_EQ(out.substr(out.size() - body.size()), body);
  EXPECT_EQ(out.size() - body.size(), 4U * 4);
}

}  // namespace
}  // namespace extproc::wire
