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

// What follows is a table of bytes that no serialiser makes: malformed ones, and odd ones that are
// to be read all the same. The inside of attributes and of metadata_context is not among it, since
// it is read when a handler asks for it.

std::string varint(std::uint64_t value, std::size_t bytes = 0) {
  std::string out;
  for (; value >= 0x80 || out.size() + 1 < bytes; value >>= 7)
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}

std::string tag(std::uint64_t field, unsigned type) { return varint(field << 3 | type); }
std::string delimited(unsigned field, const std::string& bytes) {
  return tag(field, 2) + varint(bytes.size()) + bytes;
}

/// A message of ours within those around it.
struct Place {
  const char* name;
  std::vector<unsigned> path;
  std::string around(std::string bytes) const {
    for (auto field = path.rbegin(); field != path.rend(); ++field)
      bytes = delimited(*field, bytes);
    return bytes;
  }
};

/// The first of the places, in which field 2, or a field 2 within, are attributes; and those in
/// which there are texts, which libprotobuf refuses where they are no UTF-8, as HTTP's may be.
constexpr std::size_t kPlacesWithAttributes = 3;
constexpr std::size_t kPlacesWithTexts = 7;
const std::vector<Place> kPlaces{{"ProcessingRequest", {}},
                                 {"HttpHeaders", {2}},
                                 {"HttpHeaders of the response", {3}},
                                 {"HeaderMap", {2, 1}},
                                 {"HeaderValue", {2, 1, 1}},
                                 {"HttpTrailers", {6}},
                                 {"HeaderMap of trailers", {7, 1}},
                                 {"HttpBody", {4}},
                                 {"ProtocolConfiguration", {11}},
                                 {"FlowControlInit", {12}},
                                 {"ClientWindowUpdate", {13}}};

/// Contents for a field of each type, good and bad.
std::vector<std::string> contents_of(unsigned type) {
  switch (type) {
    case 0:
      return {varint(0),
              varint(1),
              varint(0, 2),
              varint(0, 10),
              varint(1, 10),
              varint(1, 11),
              varint(0, 11),
              varint(~std::uint64_t{0}),
              std::string(9, '\xff') + "\x7f",
              varint(std::uint64_t{1} << 32),
              "\x80",
              ""};
    case 1:
      return {std::string(8, '\1'), std::string(7, '\1'), ""};
    case 2:
      return {varint(0),
              varint(0, 5),
              varint(0, 6),
              varint(0, 10),
              "\1" + std::string(1, '\0'),
              varint(2) + tag(1, 0) + "\1",
              varint(2, 5) + tag(1, 0) + "\1",
              varint(2, 6) + tag(1, 0) + "\1",
              varint(3) + tag(1, 0) + "\1",
              varint(std::uint64_t{1} << 31),
              varint(std::uint64_t{1} << 32),
              varint((std::uint64_t{1} << 32) + 2) + tag(1, 0) + "\1",
              varint(std::uint64_t{1} << 35),
              varint(~std::uint64_t{0}),
              "\x80",
              ""};
    case 3:
      return {"", tag(1, 0) + "\1"};
    case 5:
      return {std::string(4, '\1'), std::string(3, '\1'), ""};
    default:
      return {"", "\1"};
  }
}

TEST(OracleRequests, EachTypeAtEachField) {
  const std::uint64_t fields[] = {0,
                                  1,
                                  2,
                                  3,
                                  4,
                                  5,
                                  6,
                                  7,
                                  8,
                                  9,
                                  10,
                                  11,
                                  12,
                                  13,
                                  14,
                                  15,
                                  16,
                                  99,
                                  18'999,
                                  19'000,
                                  19'999,
                                  20'000,
                                  (1U << 29) - 1,
                                  1U << 29,
                                  (1U << 29) + 1};
  // Behind each, a field that is to be read when it was skipped.
  const std::string behind = tag(1, 2) + varint(0);
  for (const Place& place : kPlaces) {
    for (const std::uint64_t field : fields) {
      const bool is_read_later =
          (place.path.empty() && (field == 8 || field == 9)) ||
          (std::string_view(place.name).starts_with("HttpHeaders") && field == 2);
      for (unsigned type = 0; type < 8; ++type) {
        if (is_read_later && type == 2) continue;
        for (const std::string& content : contents_of(type)) {
          for (const std::string& end :
               {std::string(), behind, tag(field, 4), tag(field, 4) + behind}) {
            const std::string bytes = tag(field, type) + content + end;
            SCOPED_TRACE(::testing::Message() << place.name << ", field " << field << ", type "
                                              << type << ": " << oracle::literal(bytes));
            expect_read_as_libprotobuf_does(place.around(bytes));
            if (HasFailure()) return;
          }
        }
      }
    }
  }
}

TEST(OracleRequests, TagsOfEachLength) {
  for (const Place& place : kPlaces) {
    for (const std::uint32_t known : {1U << 3 | 2U, 2U << 3 | 2U, 15U << 3 | 0U, 4U << 3 | 2U}) {
      for (std::size_t size = 1; size <= 11; ++size) {
        for (const std::uint64_t beyond : {std::uint64_t{0}, std::uint64_t{1} << 32}) {
          const std::string bytes = varint(known | beyond, size) + std::string(1, '\0');
          SCOPED_TRACE(::testing::Message() << place.name << ": " << oracle::literal(bytes));
          expect_read_as_libprotobuf_does(place.around(bytes));
        }
      }
    }
  }
}

TEST(OracleRequests, Groups) {
  const auto group = [](unsigned field, const std::string& inside) {
    return tag(field, 3) + inside + tag(field, 4);
  };
  const std::string other = delimited(4, delimited(1, "body"));
  const std::string cases[] = {
      group(14, "") + other,
      group(4, tag(1, 0) + "\1") + other,
      group(14, group(14, "") + group(2, delimited(7, "x"))) + other,
      group(14, group(15, "")) + tag(14, 4),
      tag(14, 3) + other,
      tag(14, 4) + other,
      tag(14, 3) + tag(15, 4) + other,
      tag(14, 3) + tag(15, 3) + tag(14, 4) + tag(15, 4) + other,
      group(14, tag(0, 0) + "\1"),
      group(14, std::string(1, '\0')),
      group(14, tag(1, 6)),
      group(14, tag(1, 2) + varint(5) + "x"),
      group(14, tag(1, 2) + varint(std::uint64_t{1} << 32)),
      // Its end outside of the message that it began in.
      delimited(4, tag(14, 3)) + tag(14, 4),
  };
  for (const Place& place : kPlaces) {
    for (const std::string& bytes : cases) {
      SCOPED_TRACE(::testing::Message() << place.name << ": " << oracle::literal(bytes));
      expect_read_as_libprotobuf_does(place.around(bytes));
    }
    for (int depth = 90; depth <= 110; ++depth) {
      std::string nested;
      for (int i = 0; i < depth; ++i) nested = group(14, nested);
      SCOPED_TRACE(::testing::Message() << place.name << ", " << depth << " groups");
      expect_read_as_libprotobuf_does(place.around(nested));
    }
  }
}

TEST(OracleRequests, AnyShortBytes) {
  std::mt19937_64 random(1);
  const std::string likely(
      "\x00\x01\x02\x08\x0a\x0b\x0c\x10\x12\x1a\x22\x32\x5a\x62\x6a\x7f\x80\xff", 18);
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& byte : bytes) byte = likely[random() % likely.size()];
    const std::size_t chosen_place = random() % kPlaces.size();
    const Place& place = kPlaces[chosen_place];
    if (chosen_place < kPlacesWithAttributes && bytes.find('\x12') != std::string::npos) continue;
    if (chosen_place < kPlacesWithTexts && bytes.find_first_of("\x80\xff") != std::string::npos)
      continue;
    SCOPED_TRACE(::testing::Message() << place.name << ": " << oracle::literal(bytes));
    expect_read_as_libprotobuf_does(place.around(bytes));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace extproc::wire
