#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/export.h"

namespace extproc {

class StructView;

/// A `google.protobuf.Value` as it came: what attributes and metadata hold. A view, read when it is
/// asked; it lives as long as what it was taken from. Bytes that are not protobuf read as null.
/// <extproc/json.h> turns it into a boost::json::value.
class EXTPROC_API ValueView {
 public:
  enum class Kind : std::uint8_t { null, number, string, boolean, object, list };

  ValueView() = default;
  /// From the serialised Value.
  explicit ValueView(std::string_view bytes);

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  /// Each is nothing when the value is of another kind.
  std::optional<double> number() const;
  std::optional<std::string_view> string() const;
  std::optional<bool> boolean() const;
  std::optional<StructView> object() const;
  std::optional<std::vector<ValueView>> list() const;

 private:
  Kind kind_ = Kind::null;
  double number_ = 0;  // of a number, or 1 for true
  std::string_view bytes_;
};

/// A `google.protobuf.Struct` as it came. A view, as ValueView is.
class EXTPROC_API StructView {
 public:
  StructView() = default;
  /// From the serialised Struct.
  explicit StructView(std::string_view bytes) : bytes_(bytes) {}

  /// The value of a field, or nothing when there is none.
  std::optional<ValueView> find(std::string_view name) const;
  /// All fields, in the order of the bytes. Where a name is repeated the last counts.
  std::vector<std::pair<std::string_view, ValueView>> fields() const;
  /// The serialised Struct.
  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
};

class List;

/// A `google.protobuf.Struct` that is put together, for the metadata of an answer:
///
///   Struct().set("tenant", "blue").set("score", 0.5).set("trusted", true)
///
/// A name that is set again takes the later value. Everything is copied.
class EXTPROC_API Struct {
 public:
  Struct() = default;

  Struct& set(std::string_view name, std::string_view value);
  Struct& set(std::string_view name, const char* value) {
    return set(name, std::string_view(value));
  }
  Struct& set(std::string_view name, const std::string& value) {
    return set(name, std::string_view(value));
  }
  template <class T>
    requires std::integral<T> || std::floating_point<T>
  Struct& set(std::string_view name, T value) {
    if constexpr (std::same_as<T, bool>)
      return set_boolean(name, value);
    else
      return set_number(name, static_cast<double>(value));
  }
  Struct& set(std::string_view name, std::nullptr_t);
  Struct& set(std::string_view name, const Struct& value);
  Struct& set(std::string_view name, const List& value);
  /// A value that was received, as it is.
  Struct& set(std::string_view name, const StructView& value);

  /// Sets all fields of another one.
  Struct& merge(const StructView& more) {
    bytes_.append(more.bytes());
    return *this;
  }

  bool empty() const { return bytes_.empty(); }
  /// The serialised Struct; valid until the next change.
  std::string_view bytes() const { return bytes_; }
  StructView view() const { return StructView(bytes_); }

 private:
  Struct& set_boolean(std::string_view name, bool value);
  Struct& set_number(std::string_view name, double value);

  std::string bytes_;
};

/// A `google.protobuf.ListValue` that is put together.
class EXTPROC_API List {
 public:
  List() = default;

  List& append(std::string_view value);
  List& append(const char* value) { return append(std::string_view(value)); }
  List& append(const std::string& value) { return append(std::string_view(value)); }
  template <class T>
    requires std::integral<T> || std::floating_point<T>
  List& append(T value) {
    if constexpr (std::same_as<T, bool>)
      return append_boolean(value);
    else
      return append_number(static_cast<double>(value));
  }
  List& append(std::nullptr_t);
  List& append(const Struct& value);
  List& append(const List& value);

  std::string_view bytes() const { return bytes_; }

 private:
  List& append_boolean(bool value);
  List& append_number(double value);

  std::string bytes_;
};

}  // namespace extproc
