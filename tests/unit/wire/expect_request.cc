#include "wire/expect_request.h"

#include <gtest/gtest.h>

#include <cstddef>
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

}  // namespace

void expect_read_as_libprotobuf_does(const std::string& bytes) {
  const auto expected = oracle::from_bytes("ProcessingRequest", bytes);
  RequestMessage message;
  std::vector<Header> entries;
  ASSERT_EQ(read_request(bytes, message, entries), expected != nullptr);
  if (expected) expect_same(*expected, message, entries);
}

}  // namespace extproc::wire
