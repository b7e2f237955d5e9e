#include "testing/struct_copy.h"

namespace extproc::testing {
namespace {

constexpr int kDeepest = 100;

void copy(const StructView& from, int depth, Struct& into);
void copy(const std::vector<ValueView>& from, int depth, List& into);

// Calls `add` with the value as the type that Struct::set and List::append take for it.
template <class Add>
void with_value(const ValueView& value, int depth, const Add& add) {
  if (depth > kDeepest) return add(nullptr);
  switch (value.kind()) {
    case ValueView::Kind::null:
      return add(nullptr);
    case ValueView::Kind::number:
      return add(*value.number());
    case ValueView::Kind::string:
      return add(*value.string());
    case ValueView::Kind::boolean:
      return add(*value.boolean());
    case ValueView::Kind::object: {
      Struct nested;
      copy(*value.object(), depth + 1, nested);
      return add(nested);
    }
    case ValueView::Kind::list: {
      List nested;
      copy(*value.list(), depth + 1, nested);
      return add(nested);
    }
  }
}

void copy(const StructView& from, int depth, Struct& into) {
  for (const auto& [name, field] : from.fields()) {
    const std::string_view key = name;
    with_value(field, depth, [&](const auto& item) { into.set(key, item); });
  }
}

void copy(const std::vector<ValueView>& from, int depth, List& into) {
  for (const ValueView& element : from)
    with_value(element, depth, [&](const auto& item) { into.append(item); });
}

}  // namespace

void merge(Struct& into, const StructView& from) { copy(from, 1, into); }

}  // namespace extproc::testing
