#include "wire/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace extproc::wire {
namespace {

using ::testing::ElementsAre;
using namespace std::string_literals;
using namespace std::string_view_literals;

// A length-delimited field.
std::string field(unsigned number, const std::string& bytes) {
  std::string out;
  out.push_back(static_cast<char>((number << 3) | 2U));
  for (std::size_t size = bytes.size();; size >>= 7) {
    if (size < 0x80) {
      out.push_back(static_cast<char>(size));
      break;
    }
    out.push_back(static_cast<char>((size & 0x7f) | 0x80));
  }
  return out + bytes;
}
std::string flag(unsigned number, unsigned value) {
  return {static_cast<char>(number << 3), static_cast<char>(value)};
}
std::string raw(const std::string& name, const std::string& value) {
  return field(1, field(1, name) + field(3, value));
}
std::string old(const std::string& name, const std::string& value) {
  return field(1, field(1, name) + field(2, value));
}

constexpr unsigned kRequestHeaders = 2, kResponseHeaders = 3, kRequestBody = 4, kResponseBody = 5,
                   kRequestTrailers = 6, kResponseTrailers = 7;

struct Case {
  const char* name;
  std::string bytes;
  std::optional<Phase> phase;
  std::vector<Header> entries;
  std::string body;
  bool end_of_stream = false;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class ReadRequest : public ::testing::TestWithParam<Case> {};

TEST_P(ReadRequest, GivesWhatIsThere) {
  const Case& c = GetParam();
  RequestMessage message;
  std::vector<Header> entries{{"left", "over"}};
  ASSERT_TRUE(read_request(c.bytes, message, entries));
  EXPECT_EQ(message.phase, c.phase);
  EXPECT_EQ(entries, c.entries);
  EXPECT_EQ(message.body, c.body);
  EXPECT_EQ(message.end_of_stream, c.end_of_stream);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ReadRequest,
    ::testing::Values(
        Case{"empty", "", std::nullopt, {}, ""},
        Case{"request_headers",
             field(kRequestHeaders, field(1, raw("a", "1") + raw("a", "2")) + flag(3, 1)),
             Phase::request_headers,
             {{"a", "1"}, {"a", "2"}},
             "",
             true},
        Case{"response_headers",
             field(kResponseHeaders, field(1, raw(":status", "200"))),
             Phase::response_headers,
             {{":status", "200"}},
             ""},
        Case{"value_of_an_old_envoy",
             field(kRequestHeaders, field(1, old("a", "1"))),
             Phase::request_headers,
             {{"a", "1"}},
             ""},
        Case{"raw_value_wins",
             field(kRequestHeaders,
                   field(1, field(1, field(1, "a") + field(2, "old") + field(3, "new")))),
             Phase::request_headers,
             {{"a", "new"}},
             ""},
        Case{"empty_value",
             field(kRequestHeaders, field(1, field(1, field(1, "a")))),
             Phase::request_headers,
             {{"a", ""}},
             ""},
        Case{"not_utf8",
             field(kRequestHeaders, field(1, raw("a", "\xff\xfe\0x"s))),
             Phase::request_headers,
             {{"a", "\xff\xfe\0x"sv}},
             ""},
        Case{"request_body",
             field(kRequestBody, field(1, "hello") + flag(2, 1)),
             Phase::request_body,
             {},
             "hello",
             true},
        Case{"response_body",
             field(kResponseBody, field(1, std::string(300, 'x'))),
             Phase::response_body,
             {},
             std::string(300, 'x')},
        Case{"empty_body", field(kRequestBody, flag(2, 1)), Phase::request_body, {}, "", true},
        Case{"request_trailers",
             field(kRequestTrailers, field(1, raw("t", "1"))),
             Phase::request_trailers,
             {{"t", "1"}},
             ""},
        Case{"response_trailers", field(kResponseTrailers, ""), Phase::response_trailers, {}, ""},
        Case{"last_of_the_oneof_wins",
             field(kRequestHeaders, field(1, raw("a", "1")) + flag(3, 1)) +
                 field(kRequestBody, field(1, "b")),
             Phase::request_body,
             {},
             "b"},
        Case{"the_same_of_the_oneof_is_merged",
             field(kRequestHeaders, field(1, raw("a", "1"))) +
                 field(kRequestHeaders, field(1, raw("b", "2")) + flag(3, 1)),
             Phase::request_headers,
             {{"a", "1"}, {"b", "2"}},
             "",
             true},
        Case{"unknown_fields_are_skipped",
             field(15, "?") + flag(14, 3) + field(kRequestBody, field(9, "?") + field(1, "b")),
             Phase::request_body,
             {},
             "b"},
        Case{"a_known_field_of_another_type_is_skipped",
             flag(kRequestBody, 1),
             std::nullopt,
             {},
             ""}),
    [](const auto& tested) { return tested.param.name; });

// The lengths at which a varint gets a second byte, of the value, the name and the entry, each
// before and behind headers of the usual form.
TEST(ReadRequest, HeadersOfEachLength) {
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string text(size, 'x');
    const std::string map = raw("a", "1") + raw("long", text) + raw("b", "2") + raw(text, "value") +
                            raw(text, text) + raw("c", "3");
    RequestMessage message;
    std::vector<Header> entries;
    const std::string bytes = field(kRequestHeaders, field(1, map));
    ASSERT_TRUE(read_request(bytes, message, entries)) << size;
    EXPECT_THAT(entries, ElementsAre(Header{"a", "1"}, Header{"long", text}, Header{"b", "2"},
                                     Header{text, "value"}, Header{text, text}, Header{"c", "3"}))
        << size;
  }
}

TEST(ReadRequest, HeadersInEachForm) {
  const std::string key = field(1, "a"), value = field(2, "old"), raw_value = field(3, "new");
  const std::string forms[] = {key + raw_value,
                               raw_value + key,
                               key + value + raw_value,
                               key + raw_value + value,
                               key + raw_value + flag(9, 1),
                               flag(9, 1) + key + raw_value,
                               field(1, "b") + key + raw_value,
                               key + field(3, "b") + raw_value};
  for (const std::string& form : forms) {
    RequestMessage message;
    std::vector<Header> entries;
    const std::string bytes =
        field(kRequestHeaders, field(1, field(1, form) + field(2, "?") + field(1, form)));
    ASSERT_TRUE(read_request(bytes, message, entries));
    EXPECT_THAT(entries, ElementsAre(Header{"a", "new"}, Header{"a", "new"}));
  }
}

TEST(ReadRequest, TellsTheConfiguration) {
  RequestMessage message;
  std::vector<Header> entries;
  ASSERT_TRUE(read_request(field(11, flag(1, 2) + flag(2, 4) + flag(3, 1)) + flag(10, 1), message,
                           entries));
  ASSERT_TRUE(message.protocol_config);
  EXPECT_EQ(message.protocol_config->request_body_mode, BodySendMode::buffered);
  EXPECT_EQ(message.protocol_config->response_body_mode, BodySendMode::full_duplex_streamed);
  EXPECT_TRUE(message.protocol_config->send_body_without_waiting_for_header_response);
  EXPECT_TRUE(message.observability_mode);
}

TEST(ReadRequest, TakesAnUnknownBodyModeForNone) {
  RequestMessage message;
  std::vector<Header> entries;
  ASSERT_TRUE(read_request(field(11, flag(1, 99)), message, entries));
  EXPECT_EQ(message.protocol_config->request_body_mode, BodySendMode::none);
}

TEST(ReadRequest, RefusesWhatIsBroken) {
  const std::string whole = field(kRequestHeaders, field(1, raw("name", "value")) + flag(3, 1));
  RequestMessage message;
  std::vector<Header> entries;
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(read_request(std::string_view(whole).substr(0, size), message, entries)) << size;
  }
  for (const std::string& bytes :
       {"\x0f"s, "\x00"s, std::string(11, '\xff'), field(kRequestBody, "\x0a\x05x"s),
        field(kRequestHeaders, field(1, field(1, "\x0a\x01n\x1a\x02v"s))),
        field(kRequestHeaders, field(1, field(1, "\x0a\x05n\x1a\x01v"s))),
        field(kRequestHeaders, field(1, "\x0a\x06\x0a\x01n\x1a"s))}) {
    EXPECT_FALSE(read_request(bytes, message, entries));
  }
}

}  // namespace
}  // namespace extproc::wire
