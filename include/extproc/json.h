#pragma once

// google.protobuf.Struct to and from Boost.JSON. Apart from the other headers, because it needs
// Boost.JSON compiled: link Boost::json, or include <boost/json/src.hpp> in one source file.

#include <boost/json.hpp>
#include <string_view>

#include "extproc/struct.h"

namespace extproc {

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
  const auto list = value.list();  // a range of *value.list() would not outlive the range's start
  for (const ValueView& element : *list) array.push_back(to_json(element, depth + 1));
  return array;
}

/// Calls `add` with `value` as the type that Struct::set and List::append take for it.
template <class Add>
void with_json(const boost::json::value& value, const Add& add);

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

/// A JSON object as a Struct. Integers become doubles: those beyond 2^53 lose precision.
inline Struct to_struct(const boost::json::object& object) {
  Struct result;
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    detail::with_json(member.value(), [&](const auto& value) { result.set(name, value); });
  }
  return result;
}

/// A JSON array as a List.
inline List to_list(const boost::json::array& array) {
  List result;
  for (const auto& element : array) {
    detail::with_json(element, [&](const auto& value) { result.append(value); });
  }
  return result;
}

namespace detail {

template <class Add>
void with_json(const boost::json::value& value, const Add& add) {
  if (const auto* text = value.if_string()) {
    add(std::string_view(text->data(), text->size()));
  } else if (value.is_number()) {
    add(value.to_number<double>());
  } else if (const bool* boolean = value.if_bool()) {
    add(*boolean);
  } else if (const auto* object = value.if_object()) {
    add(to_struct(*object));
  } else if (const auto* array = value.if_array()) {
    add(to_list(*array));
  } else {
    add(nullptr);
  }
}

}  // namespace detail
}  // namespace extproc
