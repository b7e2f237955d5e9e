// What the codec reads from a ProcessingRequest, against what libprotobuf reads from the same
// bytes: messages as a serialiser makes them, whole, merged and cut off.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

#include "wire/expect_request.h"
#include "wire/oracle.h"

namespace extproc::wire {
namespace {

constexpr int kRandomMessages = 4000;

std::string random_request(std::mt19937_64& random) {
  auto message = oracle::new_message("ProcessingRequest");
  oracle::fill(*message, random);
  return message->SerializeAsString();
}

TEST(OracleRequests, EmptyMessage) { expect_read_as_libprotobuf_does(""); }

TEST(OracleRequests, Table) {
  const std::string cases[] = {
      R"(request_headers {})",
      R"(request_headers { end_of_stream: true headers { headers { key: ":method" raw_value: "GET" } } })",
      R"(request_headers { headers { headers { key: "old" value: "only value" } headers { key: "both" value: "a" raw_value: "b" } } })",
      R"(request_headers { headers { headers { key: "empty" } headers { key: "x" raw_value: "\377\000" } headers {} } })",
      R"(response_headers { headers { headers { key: "a" raw_value: "1" } headers { key: "a" raw_value: "2" } } })",
      R"(request_body { body: "\000\001" end_of_stream: true })",
      R"(response_body { end_of_stream: true grpc_message_compressed: true })",
      R"(request_trailers { trailers { headers { key: "grpc-status" raw_value: "0" } } })",
      R"(response_trailers {})",
      R"(observability_mode: true)",
      R"(protocol_config {})",
      R"(protocol_config { request_body_mode: FULL_DUPLEX_STREAMED response_body_mode: GRPC
         send_body_without_waiting_for_header_response: true } request_headers {})",
      R"(flow_control_init { initial_window_downstream_to_sidestream: 65536 } client_window_update {})",
      R"(flow_control_init { initial_window_sidestream_to_upstream: -1 initial_window_upstream_to_sidestream: 9223372036854775807
         initial_window_sidestream_to_downstream: -9223372036854775808 })",
      R"(client_window_update { window_increment_sidestream_to_upstream: -5 window_increment_sidestream_to_downstream: 7 })",
      R"(request_body { end_of_stream: true end_of_stream_without_message: true drain_complete: true })",
      R"(attributes { key: "envoy.filters.http.ext_proc" value { fields { key: "a" value { number_value: 1 } } } }
         metadata_context { filter_metadata { key: "k" value {} } } request_headers { end_of_stream: true })",
  };
  for (const std::string& text : cases) {
    SCOPED_TRACE(text);
    expect_read_as_libprotobuf_does(
        oracle::from_text("ProcessingRequest", text)->SerializeAsString());
  }
}

TEST(OracleRequests, RandomMessages) {
  for (int seed = 0; seed < kRandomMessages; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    expect_read_as_libprotobuf_does(random_request(random));
  }
}

// Protobuf defines what the concatenation of two messages means: fields merge, the last member of a
// oneof wins.
TEST(OracleRequests, MergedMessages) {
  for (int seed = 0; seed < kRandomMessages; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    const std::string first = random_request(random);
    expect_read_as_libprotobuf_does(first + random_request(random));
  }
}

TEST(OracleRequests, TruncatedMessages) {
  for (int seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    const std::string bytes = random_request(random);
    for (std::size_t size = 0; size < std::min<std::size_t>(bytes.size(), 500); ++size) {
      SCOPED_TRACE(::testing::Message() << "seed " << seed << ", the first " << size << " bytes");
      expect_read_as_libprotobuf_does(bytes.substr(0, size));
    }
  }
}

}  // namespace
}  // namespace extproc::wire
