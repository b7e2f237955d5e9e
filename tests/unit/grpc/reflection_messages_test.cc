#include "grpc/reflection_messages.h"

#include <gtest/gtest.h>

#include <array>

namespace extproc::grpc {
namespace {

using namespace std::string_view_literals;

TEST(ReflectionMessages, EachQueryIsRead) {
  struct {
    std::string_view message;
    ReflectionQuery query;
    std::string_view name;
    std::int32_t number = 0;
  } const cases[] = {
      {"", ReflectionQuery::none, ""},
      {"\x1A\x03"
       "a.b"sv,
       ReflectionQuery::file_by_filename, "a.b"},
      {"\x22\x03"
       "a.B"sv,
       ReflectionQuery::file_containing_symbol, "a.B"},
      {"\x2A\x07\x0A\x03"
       "a.B\x10\x2A"sv,
       ReflectionQuery::file_containing_extension, "a.B", 42},
      {"\x32\x03"
       "a.B"sv,
       ReflectionQuery::all_extension_numbers_of_type, "a.B"},
      {"\x3A\x00"sv, ReflectionQuery::list_services, ""},
  };
  for (const auto& each : cases) {
    const auto request = read_reflection_request(each.message);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->query, each.query);
    EXPECT_EQ(request->name, each.name);
    EXPECT_EQ(request->extension_number, each.number);
  }
}

TEST(ReflectionMessages, TheLastQueryCounts) {
  // A host, an extension in two parts, a field that is not known.
  const auto joined =
      read_reflection_request("\x0A\x01h\x2A\x02\x10\x07\x2A\x03\x0A\x01x\x40\x01"sv);
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->query, ReflectionQuery::file_containing_extension);
  EXPECT_EQ(joined->host, "h");
  EXPECT_EQ(joined->name, "x");
  EXPECT_EQ(joined->extension_number, 7);
  const auto last = read_reflection_request("\x2A\x05\x0A\x01x\x10\x07\x22\x01y\x0A\x01h"sv);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->query, ReflectionQuery::file_containing_symbol);
  EXPECT_EQ(last->host, "h");
  EXPECT_EQ(last->name, "y");
  EXPECT_EQ(last->extension_number, 0);
}

TEST(ReflectionMessages, MalformedOnes) {
  for (const std::string_view message : {"\x1A\x05x"sv, "\x0A"sv, "\x2A\x02\x0A\x05"sv, "\xFF"sv}) {
    EXPECT_FALSE(read_reflection_request(message));
  }
}

TEST(ReflectionMessages, AnswersAreWritten) {
  std::string out;
  write_reflected_files(out, "h", "q", std::array{"a"sv, "bc"sv});
  EXPECT_EQ(out,
            "\x0A\x01h\x12\x01q\x22\x07\x0A\x01"
            "a\x0A\x02"
            "bc");
  out.clear();
  write_extension_numbers(out, "", "q", "T", std::array{1, 300});
  EXPECT_EQ(out, "\x12\x01q\x2A\x08\x0A\x01T\x12\x03\x01\xAC\x02");
  out.clear();
  write_extension_numbers(out, "", "q", "T", {});
  EXPECT_EQ(out, "\x12\x01q\x2A\x03\x0A\x01T");
  out.clear();
  write_service_names(out, "", "", std::array{"a.S"sv});
  EXPECT_EQ(out,
            "\x12\x00\x32\x07\x0A\x05\x0A\x03"
            "a.S"sv);
  out.clear();
  write_reflection_error(out, "", "q", GrpcStatus::not_found, "no");
  EXPECT_EQ(out, "\x12\x01q\x3A\x06\x08\x05\x12\x02no");
}

}  // namespace
}  // namespace extproc::grpc
