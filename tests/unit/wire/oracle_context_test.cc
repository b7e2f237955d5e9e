// What a Context tells of attributes and metadata, against what libprotobuf reads.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/access.h"
#include "extproc/context.h"
#include "wire/oracle.h"
#include "wire/request_reader.h"
#include "wire/struct_oracle.h"

namespace extproc::wire {
namespace {

using oracle::count;
using oracle::item;
using oracle::Message;
using oracle::sub;

bool of_response(const RequestMessage& message) {
  return message.phase && !is_request_phase(*message.phase);
}

/// As a stream does it, message by message.
void take(Context& context, const std::string& bytes) {
  RequestMessage message;
  std::vector<Header> entries;
  ASSERT_TRUE(read_request(bytes, message, entries));
  auto& kept = detail::Access::messages(context);
  if (message.has_attributes)
    store_attributes(bytes, kept.some_data().attributes[of_response(message) ? 1 : 0].replace());
  if (message.has_metadata) store_metadata(bytes, message, kept.some_data().metadata.replace());
}

void expect_metadata(const Message& metadata, const Context& context) {
  for (int i = 0; i < count(metadata, "filter_metadata"); ++i) {
    if (oracle::is_repeated_later(metadata, "filter_metadata", i)) continue;
    const Message& entry = item(metadata, "filter_metadata", i);
    const auto found = context.filter_metadata(oracle::text(entry, "key"));
    ASSERT_TRUE(found);
    oracle::expect_same(sub(entry, "value"), *found);
  }
  for (int i = 0; i < count(metadata, "typed_filter_metadata"); ++i) {
    if (oracle::is_repeated_later(metadata, "typed_filter_metadata", i)) continue;
    const Message& entry = item(metadata, "typed_filter_metadata", i);
    const auto found = context.typed_filter_metadata(oracle::text(entry, "key"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->type_url, oracle::text(sub(entry, "value"), "type_url"));
    EXPECT_EQ(found->value, oracle::text(sub(entry, "value"), "value"));
  }
  EXPECT_EQ(context.filter_metadata("no such namespace"), std::nullopt);
  EXPECT_FALSE(context.typed_filter_metadata("no such namespace"));
}

void expect_attributes(const Message& request, const Context& context) {
  const auto all = context.attributes();
  for (int i = 0; i < count(request, "attributes"); ++i) {
    if (oracle::is_repeated_later(request, "attributes", i)) continue;
    const Message& entry = item(request, "attributes", i);
    const auto found = std::find_if(all.rbegin(), all.rend(), [&](const auto& named) {
      return named.first == oracle::text(entry, "key");
    });
    ASSERT_NE(found, all.rend());
    oracle::expect_same(sub(entry, "value"), found->second);
  }
}

TEST(OracleContext, TellsRandomAttributesAndMetadata) {
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    auto message = oracle::new_message("ProcessingRequest");
    oracle::fill(*message, random, 7);
    const std::string bytes = message->SerializeAsString();
    const auto expected = oracle::from_bytes("ProcessingRequest", bytes);
    ASSERT_NE(expected, nullptr);
    Context context;
    take(context, bytes);
    expect_attributes(*expected, context);
    if (oracle::has(*expected, "metadata_context"))
      expect_metadata(sub(*expected, "metadata_context"), context);
  }
}

// Metadata that comes in two parts is one.
TEST(OracleContext, TellsMergedMetadata) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::string bytes;
    for (int part = 0; part < 2; ++part) {
      auto message = oracle::new_message("ProcessingRequest");
      oracle::fill(*message, random, 7);
      bytes += message->SerializeAsString();
    }
    const auto expected = oracle::from_bytes("ProcessingRequest", bytes);
    ASSERT_NE(expected, nullptr);
    Context context;
    take(context, bytes);
    if (oracle::has(*expected, "metadata_context"))
      expect_metadata(sub(*expected, "metadata_context"), context);
  }
}

std::string request(const std::string& text) {
  return oracle::from_text("ProcessingRequest", text)->SerializeAsString();
}

TEST(OracleContext, KeepsAttributesOfBothDirectionsAndTheLastMetadata) {
  Context context;
  EXPECT_EQ(context.attribute("request.path"), std::nullopt);
  EXPECT_TRUE(context.attributes().empty());
  take(context, request(R"(request_headers {}
    attributes { key: "envoy.filters.http.ext_proc" value { fields { key: "request.path" value { string_value: "/" } } } }
    metadata_context { filter_metadata { key: "a" value { fields { key: "x" value { number_value: 1 } } } }
                       typed_filter_metadata { key: "t" value { type_url: "type/T" value: "\001" } } })"));
  EXPECT_EQ(context.attribute("request.path")->string(), "/");
  EXPECT_EQ(context.attribute("response.code"), std::nullopt);
  EXPECT_EQ(context.typed_filter_metadata("t")->type_url, "type/T");
  EXPECT_EQ(context.filter_metadata("a")->find("x")->number(), 1);
  // A message without any leaves them as they are.
  take(context, request("request_trailers {}"));
  EXPECT_EQ(context.filter_metadata("a")->find("x")->number(), 1);
  take(context, request(R"(response_headers {}
    attributes { key: "envoy.filters.http.ext_proc" value { fields { key: "response.code" value { number_value: 200 } } } }
    metadata_context { filter_metadata { key: "b" value {} } })"));
  EXPECT_EQ(context.attribute("request.path")->string(), "/");
  EXPECT_EQ(context.attribute("response.code")->number(), 200);
  EXPECT_EQ(context.attributes().size(), 2U);
  EXPECT_EQ(context.filter_metadata("a"), std::nullopt);
  EXPECT_TRUE(context.filter_metadata("b"));
  EXPECT_FALSE(context.typed_filter_metadata("t"));
}

TEST(OracleContext, ReplacesTheAttributesOfADirection) {
  const auto with = [](const char* headers, const char* name) {
    return request(std::string(headers) + R"( {} attributes { key: "f" value { fields { key: ")" +
                   name + R"(" value { bool_value: true } } } })");
  };
  Context context;
  take(context, with("request_headers", "one"));
  take(context, with("response_headers", "two"));
  take(context, with("request_body", "three"));
  EXPECT_FALSE(context.attribute("one"));
  EXPECT_TRUE(context.attribute("two"));
  EXPECT_TRUE(context.attribute("three"));
  EXPECT_EQ(context.attributes().size(), 2U);
}

// However many there are, and repeated: found through an index as by reading all of them.
TEST(OracleContext, FindsAmongMany) {
  for (const int count : {1, 10, 100, 1'000, 5'000}) {
    std::mt19937_64 random(static_cast<std::uint64_t>(count));
    std::string text = "request_headers {}\n";
    std::string metadata;
    for (int i = 0; i < count; ++i) {
      const std::string name = std::to_string(random() % 700);
      const std::string number = std::to_string(i);
      const std::string field =
          "fields { key: \"" + name + "\" value { number_value: " + number + " } }";
      text += "attributes { key: \"" + number + "\" value { " + field + " } }\n";
      metadata += "filter_metadata { key: \"" + name + "\" value { " + field +
                  " } } typed_filter_metadata { key: \"" + name + "\" value { type_url: \"" +
                  number + "\" } }\n";
    }
    Context context;
    take(context, request(text + "metadata_context { " + metadata + " }"));
    // protobuf writes a map in an order of its own, which is the one that counts.
    std::map<std::string, double> expected;
    for (const auto& [filter, fields] : context.attributes()) {
      for (const auto& [name, value] : fields.fields())
        expected[std::string(name)] = *value.number();
    }
    ASSERT_FALSE(expected.empty());
    for (const auto& [name, number] : expected) {
      ASSERT_TRUE(context.attribute(name)) << name;
      EXPECT_EQ(context.attribute(name)->number(), number) << name;
      ASSERT_TRUE(context.filter_metadata(name)) << name;
      EXPECT_TRUE(context.filter_metadata(name)->find(name)->number()) << name;
      EXPECT_TRUE(context.typed_filter_metadata(name)) << name;
    }
    for (const char* other : {"", "700", "0x", "9999999"}) {
      EXPECT_FALSE(context.attribute(other)) << other;
      EXPECT_FALSE(context.filter_metadata(other)) << other;
      EXPECT_FALSE(context.typed_filter_metadata(other)) << other;
    }
  }
}

TEST(OracleContext, ReadsTheDeprecatedPlaceOfAttributes) {
  Context context;
  take(context, request(R"(response_headers {
    attributes { key: "filter" value { fields { key: "old" value { bool_value: true } } } } })"));
  EXPECT_EQ(context.attribute("old")->boolean(), true);
  EXPECT_EQ(context.attributes().front().first, "filter");
}

// An attribute that is read while the message is broken within it is as none.
TEST(OracleContext, BrokenValuesAreNone) {
  Context context;
  take(context, std::string("\x4a\x07\x0a\x01k\x12\x02\xff\xff", 9));
  EXPECT_EQ(context.attribute("a"), std::nullopt);
  take(context, std::string("\x42\x09\x12\x07\x0a\x01t\x12\x02\xff\xff", 11));
  ASSERT_TRUE(context.typed_filter_metadata("t"));
  EXPECT_EQ(context.typed_filter_metadata("t")->type_url, "");
}

}  // namespace
}  // namespace extproc::wire
