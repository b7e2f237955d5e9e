#pragma once

#include <gtest/gtest.h>

#include "extproc/struct.h"
#include "wire/oracle.h"

namespace extproc::wire::oracle {

/// Whether a later entry of a map has the same key: reflection shows both, and the later one
/// counts.
inline bool is_repeated_later(const Message& message, const std::string& map, int index) {
  const std::string key = text(item(message, map, index), "key");
  for (int i = index + 1; i < count(message, map); ++i) {
    if (text(item(message, map, i), "key") == key) return true;
  }
  return false;
}

/// The view shows what libprotobuf has read from the same bytes, all the way down.
inline void expect_same(const Message& expected, const StructView& actual);

inline void expect_same(const Message& expected, const ValueView& actual) {
  using Kind = ValueView::Kind;
  const std::string kind = chosen(expected, "kind");
  if (kind == "number_value") {
    EXPECT_EQ(actual.number(), real(expected, kind));
  } else if (kind == "string_value") {
    EXPECT_EQ(actual.string(), text(expected, kind));
  } else if (kind == "bool_value") {
    EXPECT_EQ(actual.boolean(), flag(expected, kind));
  } else if (kind == "struct_value") {
    ASSERT_TRUE(actual.object());
    expect_same(sub(expected, kind), *actual.object());
  } else if (kind == "list_value") {
    ASSERT_TRUE(actual.list());
    const Message& list = sub(expected, kind);
    ASSERT_EQ(actual.list()->size(), static_cast<std::size_t>(count(list, "values")));
    for (int i = 0; i < count(list, "values"); ++i)
      expect_same(item(list, "values", i), (*actual.list())[static_cast<std::size_t>(i)]);
  } else {
    EXPECT_TRUE(actual.is_null());
  }
  // It is of that kind alone.
  EXPECT_EQ(actual.number().has_value(), actual.kind() == Kind::number);
  EXPECT_EQ(actual.string().has_value(), actual.kind() == Kind::string);
  EXPECT_EQ(actual.boolean().has_value(), actual.kind() == Kind::boolean);
  EXPECT_EQ(actual.object().has_value(), actual.kind() == Kind::object);
  EXPECT_EQ(actual.list().has_value(), actual.kind() == Kind::list);
}

inline void expect_same(const Message& expected, const StructView& actual) {
  for (int i = 0; i < count(expected, "fields"); ++i) {
    if (is_repeated_later(expected, "fields", i)) continue;
    const Message& entry = item(expected, "fields", i);
    const std::string name = text(entry, "key");
    const auto found = actual.find(name);
    ASSERT_TRUE(found) << name;
    expect_same(sub(entry, "value"), *found);
  }
  for (const auto& [name, value] : actual.fields()) {
    bool known = false;
    for (int i = 0; i < count(expected, "fields"); ++i)
      known = known || text(item(expected, "fields", i), "key") == name;
    EXPECT_TRUE(known) << name;
  }
}

}  // namespace extproc::wire::oracle
