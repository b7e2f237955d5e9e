// Struct and its views against google.protobuf.Struct.

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "extproc/struct.h"
#include "wire/oracle.h"
#include "wire/response_writer.h"
#include "wire/struct_oracle.h"

namespace extproc::wire {
namespace {

using oracle::Message;

const std::string kStruct = "google.protobuf.Struct";

void expect_struct(const Struct& built, const std::string& text) {
  const auto actual = oracle::from_bytes(kStruct, built.bytes());
  ASSERT_NE(actual, nullptr);
  const auto expected = oracle::from_text(kStruct, text);
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(*expected, *actual)) << difference;
  oracle::expect_same(*actual, built.view());
}

TEST(OracleStruct, BuildsEveryKind) {
  const std::string owned = "owned";
  expect_struct(Struct(), "");
  EXPECT_TRUE(Struct().empty());
  expect_struct(Struct()
                    .set("text", "v")
                    .set("view", std::string_view("\xc3\xa9\0", 3))
                    .set("owned", owned)
                    .set("", "")
                    .set("int", 42)
                    .set("negative", -1L)
                    .set("real", 0.5F)
                    .set("unsigned", std::numeric_limits<std::uint64_t>::max())
                    .set("yes", true)
                    .set("no", false)
                    .set("null", nullptr),
                R"(fields { key: "text" value { string_value: "v" } }
                   fields { key: "view" value { string_value: "\303\251\000" } }
                   fields { key: "owned" value { string_value: "owned" } }
                   fields { key: "" value { string_value: "" } }
                   fields { key: "int" value { number_value: 42 } }
                   fields { key: "negative" value { number_value: -1 } }
                   fields { key: "real" value { number_value: 0.5 } }
                   fields { key: "unsigned" value { number_value: 18446744073709551616 } }
                   fields { key: "yes" value { bool_value: true } }
                   fields { key: "no" value { bool_value: false } }
                   fields { key: "null" value { null_value: NULL_VALUE } })");
}

TEST(OracleStruct, BuildsWhatIsNested) {
  const Struct inner = Struct().set("a", 1);
  const List list = List()
                        .append("s")
                        .append(std::string("t"))
                        .append(1.5)
                        .append(true)
                        .append(nullptr)
                        .append(inner)
                        .append(Struct())
                        .append(List())
                        .append(List().append(2));
  expect_struct(
      Struct()
          .set("o", inner)
          .set("e", Struct())
          .set("l", list)
          .set("n", List())
          .set("v", inner.view()),
      R"(fields { key: "o" value { struct_value { fields { key: "a" value { number_value: 1 } } } } }
                   fields { key: "e" value { struct_value {} } }
                   fields { key: "v" value { struct_value { fields { key: "a" value { number_value: 1 } } } } }
                   fields { key: "n" value { list_value {} } }
                   fields { key: "l" value { list_value {
                     values { string_value: "s" } values { string_value: "t" } values { number_value: 1.5 }
                     values { bool_value: true } values { null_value: NULL_VALUE }
                     values { struct_value { fields { key: "a" value { number_value: 1 } } } }
                     values { struct_value {} } values { list_value {} }
                     values { list_value { values { number_value: 2 } } } } } })");
}

TEST(OracleStruct, TheLastOfANameCounts) {
  const Struct twice = Struct().set("a", 1).set("b", 2).set("a", "last");
  const auto read = oracle::from_bytes(kStruct, twice.bytes());
  ASSERT_NE(read, nullptr);
  oracle::expect_same(*read, twice.view());
  EXPECT_EQ(twice.view().find("a")->string(), "last");
  EXPECT_EQ(twice.view().find("c"), std::nullopt);
  EXPECT_EQ(StructView().find("a"), std::nullopt);
}

TEST(OracleStruct, ReadsRandomOnes) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    auto message = oracle::new_message(kStruct);
    oracle::fill(*message, random, 8);
    const std::string bytes = message->SerializeAsString();
    const auto expected = oracle::from_bytes(kStruct, bytes);
    ASSERT_NE(expected, nullptr);
    oracle::expect_same(*expected, StructView(bytes));
  }
}

/// What is sent for metadata of so many objects in one another.
std::string metadata_message(int levels) {
  Struct nested = Struct().set("k", "bottom");
  for (int i = 1; i < levels; ++i) nested = Struct().set("k", nested);
  HeadersResponse response;
  response.set_dynamic_metadata("ns", nested);
  std::string bytes;
  write_headers_response(bytes, Phase::request_headers, response);
  write_extras(bytes, *response.extras_or_null());
  return bytes;
}

// to_struct() goes no deeper.
TEST(OracleStruct, IsReadDownToTheMostLevels) {
  constexpr int kMost = 32;
  EXPECT_NE(oracle::from_bytes("ProcessingResponse", metadata_message(kMost)), nullptr);
  EXPECT_EQ(oracle::from_bytes("ProcessingResponse", metadata_message(kMost + 1)), nullptr);
}

std::size_t visit(const ValueView& value);
std::size_t visit(const StructView& view) {
  std::size_t seen = 0;
  for (const auto& [name, value] : view.fields()) {
    EXPECT_TRUE(view.find(name));
    seen += 1 + visit(value);
  }
  return seen;
}
std::size_t visit(const ValueView& value) {
  std::size_t seen = value.string().value_or("").size();
  if (const auto object = value.object()) seen += visit(*object);
  if (const auto list = value.list()) {
    for (const ValueView& element : *list) seen += visit(element);
  }
  return seen;
}

// Whatever stands there is safe to read; what cannot be read is the end of it.
TEST(OracleStruct, ReadsBrokenBytes) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    auto message = oracle::new_message(kStruct);
    oracle::fill(*message, random, 8);
    const std::string bytes = message->SerializeAsString();
    for (std::size_t size = 0; size < std::min<std::size_t>(bytes.size(), 200); ++size)
      visit(StructView(std::string(bytes, 0, size)));
    std::string changed = bytes;
    for (std::size_t i = 0; i < changed.size(); i += 7) changed[i] = static_cast<char>(random());
    visit(StructView(changed));
  }
  EXPECT_TRUE(ValueView("\xff").is_null());
  EXPECT_TRUE(ValueView("").is_null());
  // What stood before the broken part does not count either.
  EXPECT_TRUE(ValueView("\x20\x01\xff").is_null());
  EXPECT_TRUE(StructView("\xff\xff").fields().empty());
}

}  // namespace
}  // namespace extproc::wire
