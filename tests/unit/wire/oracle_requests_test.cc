// What the codec reads from a ProcessingRequest, against what libprotobuf reads from the same
// bytes.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/oracle.h"
#include "wire/request_reader.h"

namespace extproc::wire {
namespace {

using oracle::chosen;
using oracle::count;
using oracle::flag;
using oracle::Message;
using oracle::sub;

constexpr int kRandomMessages = 4000;

std::string value_of(const Message& header) {
  const std::string raw = oracle::text(header, "raw_value");
  return raw.empty() ? oracle::text(header, "value") : raw;
}

void expect_headers(const Message& map, const std::vector<Header>& entries) {
  ASSERT_EQ(entries.size(), static_cast<std::size_t>(count(map, "headers")));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Message& header = oracle::item(map, "headers", static_cast<int>(i));
    EXPECT_EQ(entries[i].name, oracle::text(header, "key"));
    EXPECT_EQ(entries[i].value, value_of(header));
  }
}

BodySendMode known_mode(int number) {
  return number >= 0 && number <= 5 ? static_cast<BodySendMode>(number) : BodySendMode::none;
}

void expect_phase(const Message& expected, const RequestMessage& message,
                  const std::vector<Header>& entries) {
  const std::string phase = chosen(expected, "request");
  ASSERT_EQ(message.phase ? to_string(*message.phase) : "", phase);
  if (phase.empty()) return;
  const Message& data = sub(expected, phase);
  if (phase.ends_with("_headers")) {
    EXPECT_EQ(message.end_of_stream, flag(data, "end_of_stream"));
    expect_headers(sub(data, "headers"), entries);
  } else if (phase.ends_with("_body")) {
    EXPECT_EQ(message.end_of_stream, flag(data, "end_of_stream"));
    EXPECT_EQ(message.body, oracle::text(data, "body"));
    EXPECT_EQ(message.body_flags.end_of_stream_without_message,
              flag(data, "end_of_stream_without_message"));
    EXPECT_EQ(message.body_flags.grpc_message_compressed, flag(data, "grpc_message_compressed"));
    EXPECT_EQ(message.body_flags.drain_complete, flag(data, "drain_complete"));
    EXPECT_TRUE(entries.empty());
  } else {
    expect_headers(sub(data, "trailers"), entries);
  }
}

void expect_flow_control(const Message& expected, const RequestMessage& message) {
  using oracle::integer;
  ASSERT_EQ(message.flow_control_init.has_value(), oracle::has(expected, "flow_control_init"));
  if (message.flow_control_init) {
    const Message& init = sub(expected, "flow_control_init");
    const auto& read = *message.flow_control_init;
    EXPECT_EQ(read.downstream_to_sidestream,
              integer(init, "initial_window_downstream_to_sidestream"));
    EXPECT_EQ(read.sidestream_to_upstream, integer(init, "initial_window_sidestream_to_upstream"));
    EXPECT_EQ(read.upstream_to_sidestream, integer(init, "initial_window_upstream_to_sidestream"));
    EXPECT_EQ(read.sidestream_to_downstream,
              integer(init, "initial_window_sidestream_to_downstream"));
  }
  ASSERT_EQ(message.client_window_update.has_value(),
            oracle::has(expected, "client_window_update"));
  if (message.client_window_update) {
    const Message& update = sub(expected, "client_window_update");
    EXPECT_EQ(message.client_window_update->sidestream_to_upstream,
              integer(update, "window_increment_sidestream_to_upstream"));
    EXPECT_EQ(message.client_window_update->sidestream_to_downstream,
              integer(update, "window_increment_sidestream_to_downstream"));
  }
}

void expect_same(const Message& expected, const RequestMessage& message,
                 const std::vector<Header>& entries) {
  expect_phase(expected, message, entries);
  expect_flow_control(expected, message);
  EXPECT_EQ(message.has_metadata, oracle::has(expected, "metadata_context"));
  if (count(expected, "attributes") > 0) {
    EXPECT_TRUE(message.has_attributes);
  }
  EXPECT_EQ(message.observability_mode, flag(expected, "observability_mode"));
  ASSERT_EQ(message.protocol_config.has_value(), oracle::has(expected, "protocol_config"));
  if (!message.protocol_config) return;
  const Message& config = sub(expected, "protocol_config");
  EXPECT_EQ(message.protocol_config->request_body_mode,
            known_mode(oracle::number(config, "request_body_mode")));
  EXPECT_EQ(message.protocol_config->response_body_mode,
            known_mode(oracle::number(config, "response_body_mode")));
  EXPECT_EQ(message.protocol_config->send_body_without_waiting_for_header_response,
            flag(config, "send_body_without_waiting_for_header_response"));
}

void expect_read_as_libprotobuf_does(const std::string& bytes) {
  const auto expected = oracle::from_bytes("ProcessingRequest", bytes);
  RequestMessage message;
  std::vector<Header> entries;
  ASSERT_EQ(read_request(bytes, message, entries), expected != nullptr);
  if (expected) expect_same(*expected, message, entries);
}

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
