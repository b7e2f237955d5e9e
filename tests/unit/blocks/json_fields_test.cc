// Fields of JSON texts in every cut, against Boost.JSON's tree of the whole.
#include "extproc/json_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/error.h"

namespace extproc {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;
using Pieces = std::vector<std::string>;

struct Seen {
  std::size_t path;
  JsonKind kind;
  std::string raw;
  bool too_long = false;

  friend bool operator==(const Seen&, const Seen&) = default;
};

std::ostream& operator<<(std::ostream& out, const Seen& one) {
  return out << one.path << ' ' << one.raw << (one.too_long ? "…" : "");
}

struct Result {
  std::vector<Seen> seen;
  std::optional<std::string> error;

  friend bool operator==(const Result&, const Result&) = default;
};

Result read(const Pieces& pieces, const JsonPaths& paths, JsonLimits limits = {}) {
  JsonReader reader(paths, limits);
  Result result;
  const auto drain = [&] {
    while (const JsonField* field = reader.next()) {
      result.seen.push_back({field->path, field->kind, std::string(field->raw), field->too_long});
    }
  };
  for (const std::string& piece : pieces) {
    const std::string gone(piece);
    reader.push(gone);
    drain();
  }
  reader.finish();
  drain();
  result.error = reader.error();
  return result;
}

/// Every way to make two pieces of it, and one byte a piece.
std::vector<Pieces> cuts_of(const std::string& text) {
  std::vector<Pieces> cuts;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    cuts.push_back({text.substr(0, at), text.substr(at)});
  }
  cuts.emplace_back();
  for (const char c : text) cuts.back().emplace_back(1, c);
  return cuts;
}

class RandomJson {
 public:
  explicit RandomJson(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t end) { return random_() % end; }

  std::string value(int depth) {
    switch (below(depth > 4 ? 5 : 8)) {
      case 0:
        return pick({"true", "false", "null"});
      case 1:
        return pick({"0", "-0", "12", "-3.25", "1e5", "6E-2", "0.5e+1", "123456789012"});
      case 2:
      case 3:
      case 4:
        return text();
      case 5:
        return list('[', ']', depth, false);
      default:
        return list('{', '}', depth, true);
    }
  }

 private:
  std::string pick(const std::vector<std::string>& from) { return from[below(from.size())]; }
  std::string blank() { return pick({"", "", "", " ", "\n\t", "\r"}); }
  std::string text() {
    return '"' +
           pick({"a", "b", "model", "\\u0061", "x\\n\\\\\\\"", "\\ud83d\\ude00", "\xc3\xa9", "",
                 "\xf0\x9f\x98\x80 and a long text beyond sixteen bytes", "\\/\\b\\f\\r\\t{[,:"}) +
           '"';
  }
  std::string list(char begin, char end, int depth, bool named) {
    std::string result(1, begin);
    const std::size_t count = below(4);
    for (std::size_t i = 0; i < count; ++i) {
      if (i != 0) result += ',';
      result += blank();
      if (named) {
        result += '"' + pick({"a", "b", "\\u0061b", "model", "*", "0"}) + "\"" + blank() + ":";
      }
      result += blank() + value(depth + 1) + blank();
    }
    return result + blank() + end;
  }

  std::mt19937 random_;
};

/// The last value at each path, as a tree has it: of equal names the last.
std::map<std::size_t, boost::json::value> last_of(const Result& result) {
  std::map<std::size_t, boost::json::value> last;
  for (const Seen& one : result.seen) last[one.path] = boost::json::parse(one.raw);
  return last;
}

const std::vector<std::string> kPointers = {"/a/b", "/b", "/model", "/ab", "/a/0/a", "/0", "/1/a"};

TEST(JsonFields, FieldsAreThoseOfATreeInEveryCut) {
  RandomJson random(21);
  const JsonPaths paths(kPointers);
  std::size_t found = 0;
  for (int i = 0; i < 3'000; ++i) {
    const std::string text = random.value(0);
    const boost::json::value tree = boost::json::parse(text);
    const Result whole = read({text}, paths);
    ASSERT_EQ(whole.error, std::nullopt) << text;
    const auto last = last_of(whole);
    for (std::size_t path = 0; path < kPointers.size(); ++path) {
      boost::system::error_code error;
      const boost::json::value* const value = tree.find_pointer(kPointers[path], error);
      // What an equal name behind it has taken the place of, is in no tree.
      if (value != nullptr) {
        ASSERT_TRUE(last.contains(path)) << kPointers[path] << " of " << text;
        ASSERT_EQ(last.at(path), *value) << kPointers[path] << " of " << text;
        ++found;
      }
    }
    for (const Pieces& pieces : cuts_of(text)) {
      ASSERT_EQ(read(pieces, paths), whole) << ::testing::PrintToString(pieces);
    }
  }
  EXPECT_GT(found, 500U);
}

TEST(JsonFields, WhatIsNoJsonIsRefusedAsByBoost) {
  RandomJson random(22);
  const JsonPaths paths({"/a"});
  const std::string_view bytes("\"\\{}[]:,0-.eEu+ \n\x01\x80\xc3\xed\xa0\xf0\xffnt/dD8");
  std::size_t refused = 0;
  for (int i = 0; i < 40'000; ++i) {
    std::string text = random.value(0);
    const std::size_t at = random.below(text.size());
    switch (random.below(3)) {
      case 0:
        text.erase(at, 1 + random.below(3));
        break;
      case 1:
        text.insert(at, 1, bytes[random.below(bytes.size())]);
        break;
      default:
        text[at] = bytes[random.below(bytes.size())];
    }
    boost::system::error_code error;
    boost::json::parse(text, error);
    if (error == boost::json::error::exponent_overflow) continue;
    const Result whole = read({text}, paths);
    ASSERT_EQ(whole.error.has_value(), error.failed())
        << text << ": " << whole.error.value_or("right") << ", " << error.message();
    refused += error.failed() ? 1 : 0;
    const std::size_t cut = random.below(text.size() + 1);
    ASSERT_EQ(read({text.substr(0, cut), text.substr(cut)}, paths).error, whole.error) << text;
  }
  EXPECT_GT(refused, 10'000U);
}

TEST(JsonFields, ValuesAreGivenAsTheyAreWritten) {
  const JsonPaths paths({"/model", "/n", "/list/*/x", "/list/1/y", "/o", "/a~1b~0", "/t"});
  const std::string text =
      R"({"model": "a\u00e9\ud83d\ude00\n", "n":-1.5e2,"list":[{"x":1},{"x":[2 ],"y":null}],)"
      R"("o":{"model":"no"} ,"a/b~":true,"t":"")"
      "}";
  const Result result = read({text}, paths);
  EXPECT_EQ(result.error, std::nullopt);
  EXPECT_THAT(result.seen,
              ElementsAre(Seen{0, JsonKind::string, R"("a\u00e9\ud83d\ude00\n")"},
                          Seen{1, JsonKind::number, "-1.5e2"}, Seen{2, JsonKind::number, "1"},
                          Seen{2, JsonKind::array, "[2 ]"}, Seen{3, JsonKind::null, "null"},
                          Seen{4, JsonKind::object, R"({"model":"no"})"},
                          Seen{5, JsonKind::boolean, "true"}, Seen{6, JsonKind::string, "\"\""}));
  JsonReader reader(paths);
  reader.push(text);
  EXPECT_THAT(reader.next()->text(), Optional(Eq("a\xc3\xa9\xf0\x9f\x98\x80\n")));
  EXPECT_EQ(reader.next()->text(), std::nullopt);
  EXPECT_THAT(read({" 12"}, JsonPaths({""})).seen, ElementsAre(Seen{0, JsonKind::number, "12"}));
  EXPECT_THAT(read({"[7,8]"}, JsonPaths({"/*"})).seen,
              ElementsAre(Seen{0, JsonKind::number, "7"}, Seen{0, JsonKind::number, "8"}));
}

TEST(JsonFields, EditsAreTheSameInEveryCut) {
  const JsonPaths paths({"/model", "/messages/*/content", "/n", "/long"});
  const std::string text =
      R"( {"x":[1,2],"model": "big\u0021","messages":[{"role":"user","content":"hi"},{"content":5}],)"
      R"("long":"0123456789012345678901234567890123456789","n":12})";
  const std::string expected =
      R"( {"x":[1,2],"model": "small \"1\"","messages":[{"role":"user","content":{}},{"content":5}],)"
      R"("long":"0123456789012345678901234567890123456789","n":13})";
  int too_long = 0;
  const auto edit = [&](JsonEdit& field) {
    too_long += field.field().too_long ? 1 : 0;
    if (field.path() == 0) field.set_string("small \"1\"");
    if (field.path() == 1 && field.field().kind == JsonKind::string) field.set_json("{}");
    if (field.path() == 2) field.set_json("13");
    if (field.path() == 3) field.set_json("never");
  };
  for (const Pieces& pieces : cuts_of(text)) {
    JsonEditor editor(paths, {.value_bytes = 20});
    std::string out;
    too_long = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const std::string gone(pieces[i]);
      out += editor.edit(gone, i + 1 == pieces.size(), edit);
    }
    ASSERT_EQ(out, expected);
    ASSERT_EQ(too_long, 1);
    ASSERT_EQ(editor.error(), std::nullopt);
  }
}

TEST(JsonFields, WhatIsNoJsonGoesOnAsItCame) {
  const JsonPaths paths({"/a"});
  for (const std::string text : {R"({"a":"x)", R"({"a":"x","b":tru})", R"({"a":[1,2}})",
                                 R"({"a":1} x)", R"({"a":"\x"})", ""}) {
    for (const Pieces& pieces : cuts_of(text)) {
      JsonEditor editor(paths);
      std::string out;
      for (std::size_t i = 0; i < pieces.size(); ++i) {
        const std::string gone(pieces[i]);
        out += editor.edit(gone, i + 1 == pieces.size(), [](JsonEdit&) {});
      }
      if (pieces.empty()) editor.edit("", true, [](JsonEdit&) {});
      ASSERT_EQ(out, text);
      ASSERT_NE(editor.error(), std::nullopt) << text;
    }
  }
}

TEST(JsonFields, TextsAreBounded) {
  const JsonPaths paths({"/a"});
  EXPECT_THAT(read({std::string(64, '[') + std::string(64, ']')}, paths).error, std::nullopt);
  EXPECT_THAT(read({std::string(65, '[')}, paths).error,
              Optional(Eq("not JSON at byte 64: too many objects and arrays in one another")));
  const std::string text =
      "{\"a\":\"" + std::string(100, 'x') + "\",\"" + std::string(5000, 'n') + "\":0}";
  for (const std::size_t size : {1U, 7U, 64U, 6000U}) {
    Pieces pieces;
    for (std::size_t at = 0; at < text.size(); at += size) pieces.push_back(text.substr(at, size));
    const Result result = read(pieces, paths, {.value_bytes = 10});
    EXPECT_THAT(result.seen, ElementsAre(Seen{0, JsonKind::string, "\"xxxxxxxxx", true}));
    EXPECT_EQ(result.error, std::nullopt);
  }
  EXPECT_THAT(read({"{\"a\":1,}"}, paths).error, Optional(HasSubstr("byte 7")));
}

TEST(JsonFields, PathsThatAreNoneAreRefused) {
  EXPECT_THROW(JsonPaths({"a"}), Error);
  EXPECT_THROW(JsonPaths({"/a~2"}), Error);
  EXPECT_THROW(JsonPaths({"/a~"}), Error);
  EXPECT_THROW(JsonPaths({"/a", "/a/b"}), Error);
  EXPECT_THROW(JsonPaths({"/a/b", "/a"}), Error);
  EXPECT_THROW(JsonPaths({"/a", "/a"}), Error);
  EXPECT_THROW(JsonPaths({"/*/x", "/0"}), Error);
  EXPECT_THROW(JsonPaths(std::vector<std::string>(65, "/a")), Error);
  EXPECT_NO_THROW(JsonPaths({"/a/x", "/a/y", "/*/x", "/01"}));
  EXPECT_EQ(json_quoted("a\"\\\n\x01/\xc3\xa9"), "\"a\\\"\\\\\\n\\u0001/\xc3\xa9\"");
}

}  // namespace
}  // namespace extproc
