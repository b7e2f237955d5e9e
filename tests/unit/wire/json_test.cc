// Structs to and from Boost.JSON, which is compiled here.

#include "extproc/json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/src.hpp>
#include <string>

namespace extproc {
namespace {

namespace json = boost::json;

TEST(Json, GoesToAStructAndBack) {
  const char* texts[] = {
      R"({})",
      R"({"":""})",
      R"({"s":"text","e":"\u00e9\u0000","n":0.5,"big":1e300,"yes":true,"no":false,"null":null})",
      R"({"o":{"a":{"b":{}}},"l":[],"m":[1.5,"s",null,true,{},[[]],{"k":[2.5]}]})",
  };
  for (const char* text : texts) {
    const json::object object = json::parse(text).as_object();
    EXPECT_EQ(json::serialize(to_json(to_struct(object).view())), json::serialize(object));
  }
}

TEST(Json, MakesDoublesOfIntegers) {
  const json::object object = json::parse(R"({"i":-7,"u":18446744073709551615})").as_object();
  const Struct made = to_struct(object);
  EXPECT_EQ(made.view().find("i")->number(), -7.0);
  EXPECT_EQ(made.view().find("u")->number(), 18446744073709551616.0);
  EXPECT_TRUE(to_json(made.view()).at("i").is_double());
}

TEST(Json, TheLastOfANameCounts) {
  const Struct twice = Struct().set("a", 1).set("a", "last");
  EXPECT_EQ(json::serialize(to_json(twice.view())), R"({"a":"last"})");
}

TEST(Json, AnEntryWithoutAKeyHasAnEmptyOneAndNoNull) {
  const StructView without(std::string_view("\x0a\x00", 2));
  ASSERT_EQ(without.fields().size(), 1U);
  EXPECT_NE(without.fields().front().first.data(), nullptr);
  EXPECT_EQ(json::serialize(to_json(without)), R"({"":null})");
}

TEST(Json, ReadsSingleValuesAndLists) {
  EXPECT_EQ(to_json(ValueView()), json::value(nullptr));
  const Struct holder = Struct().set("l", to_list({1.5, "s", nullptr}));
  EXPECT_EQ(json::serialize(to_json(*holder.view().find("l"))),
            json::serialize(json::array{1.5, "s", nullptr}));
}

int depth_of(const json::value& value) {
  int depth = 0;
  for (const json::value* at = &value;; ++depth) {
    if (const auto* object = at->if_object(); object != nullptr && !object->empty()) {
      at = &object->begin()->value();
    } else if (const auto* array = at->if_array(); array != nullptr && !array->empty()) {
      at = &(*array)[0];
    } else {
      return depth;
    }
  }
}

// A peer may nest as deep as its message is long: the reader goes no deeper than protobuf's do.
TEST(Json, GoesDownAHundredLevels) {
  for (const int levels : {99, 100, 101, 150, 10'000}) {
    Struct deep = Struct().set("k", "bottom");
    for (int i = 1; i < levels; ++i) deep = Struct().set("k", deep);
    EXPECT_EQ(depth_of(to_json(deep.view())), std::min(levels, 101)) << levels;
  }
}

TEST(Json, GoesDownAHundredLevelsOfLists) {
  List deep = List().append("bottom");
  for (int i = 1; i < 500; ++i) deep = List().append(deep);
  const Struct holder = Struct().set("l", deep);
  EXPECT_LE(depth_of(to_json(holder.view())), 101);
}

json::object nested(int levels, bool lists) {
  json::value inner = "bottom";
  for (int i = 1; i < levels; ++i) {
    inner = lists ? json::value(json::array(1, inner)) : json::value(json::object{{"k", inner}});
  }
  return {{"k", inner}};
}

// What libprotobuf makes of the deepest ones: oracle_struct_test.cc.
TEST(Json, IsSentDownToTheLevelThatProtobufReads) {
  for (const bool lists : {false, true}) {
    const json::object deepest = nested(kMostStructLevels, lists);
    EXPECT_EQ(depth_of(to_json(to_struct(deepest).view())), kMostStructLevels);
    for (const int levels : {kMostStructLevels + 1, 1000}) {
      try {
        to_struct(nested(levels, lists));
        ADD_FAILURE() << levels;
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("more than 32 objects"), std::string::npos);
      }
    }
  }
}

TEST(Json, CountsAListAsWithinItsStruct) {
  const json::array fits = nested(kMostStructLevels, true).at("k").as_array();
  EXPECT_FALSE(to_list(fits).bytes().empty());
  EXPECT_THROW(to_list(json::array(1, fits)), Error);
}

}  // namespace
}  // namespace extproc
