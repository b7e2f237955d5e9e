#pragma once

// google.protobuf.Struct to and from Boost.JSON. Apart from the other headers, because it needs
// Boost.JSON compiled: link Boost::json, or include <boost/json/src.hpp> in one source file.

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/error.h"
#include "extproc/struct.h"

namespace extproc {

/// How many objects and lists can be in one another to be sent. Envoy's protobuf refuses a message
/// with more than 100 messages in one another, of which each object is three.
inline constexpr int kMostStructLevels = 32;

namespace detail {

/// Deeper values than protobuf's own readers accept become null.
inline constexpr int kDeepestStruct = 100;

inline boost::json::value to_json(const ValueView& value, int depth) {
  if (depth > kDeepestStruct) return nullptr;
  switch (value.kind()) {
    case ValueView::Kind::null:
      return nullptr;
    case ValueView::Kind::number:
      return *value.number();
    case ValueView::Kind::string:
      return boost::json::string(*value.string());
    case ValueView::Kind::boolean:
      return *value.boolean();
    case ValueView::Kind::object: {
      boost::json::object object;
      for (const auto& [name, field] : value.object()->fields()) {
        object.insert_or_assign(name, to_json(field, depth + 1));
      }
      return object;
    }
    case ValueView::Kind::list:
      break;
  }
  boost::json::array array;
  const std::vector<ValueView> elements = *value.list();
  for (const ValueView& element : elements) array.push_back(to_json(element, depth + 1));
  return array;
}

inline Struct to_struct(const boost::json::object& object, int level);
inline List to_list(const boost::json::array& array, int level);

/// Calls `add` with `value` as the type that Struct::set and List::append take for it.
template <class Add>
void with_json(const boost::json::value& value, int level, const Add& add);

}  // namespace detail

/// A Value as JSON. Numbers are doubles, as they are in protobuf.
inline boost::json::value to_json(const ValueView& value) { return detail::to_json(value, 0); }

/// A Struct as a JSON object.
inline boost::json::object to_json(const StructView& view) {
  boost::json::object object;
  for (const auto& [name, value] : view.fields()) {
    object.insert_or_assign(name, detail::to_json(value, 1));
  }
  return object;
}

/// A JSON object as a Struct. Integers become doubles: those beyond 2^53 lose precision. Throws
/// Error for one of more than kMostStructLevels levels, itself the first. What is put together by
/// Struct::set and List::append is not counted.
inline Struct to_struct(const boost::json::object& object) { return detail::to_struct(object, 1); }

/// A JSON array as a List, which is the second level of the Struct that it is for.
inline List to_list(const boost::json::array& array) { return detail::to_list(array, 2); }

namespace detail {

inline void check_level(int level) {
  if (level <= kMostStructLevels) return;
  throw Error("JSON of more than " + std::to_string(kMostStructLevels) +
              " objects and lists in one another cannot be sent as a Struct: make it flatter, or "
              "send the inner part as text");
}

inline Struct to_struct(const boost::json::object& object, int level) {
  check_level(level);
  Struct result;
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    with_json(member.value(), level, [&](const auto& value) { result.set(name, value); });
  }
  return result;
}

inline List to_list(const boost::json::array& array, int level) {
  check_level(level);
  List result;
  for (const auto& element : array) {
    with_json(element, level, [&](const auto& value) { result.append(value); });
  }
  return result;
}

template <class Add>
void with_json(const boost::json::value& value, int level, const Add& add) {
  if (const auto* text = value.if_string()) {
    add(std::string_view(text->data(), text->size()));
  } else if (value.is_number()) {
    add(value.to_number<double>());
  } else if (const bool* boolean = value.if_bool()) {
    add(*boolean);
  } else if (const auto* object = value.if_object()) {
    add(to_struct(*object, level + 1));
  } else if (const auto* array = value.if_array()) {
    add(to_list(*array, level + 1));
  } else {
    add(nullptr);
  }
}

}  // namespace detail
}  // namespace extproc
