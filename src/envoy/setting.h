#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace extproc::envoy_config {

/// Where something stands in a text. From 1; nowhere: 0.
struct Place {
  int line = 0;
  int column = 0;

  explicit operator bool() const { return line > 0; }
  friend auto operator<=>(const Place&, const Place&) = default;
};

/// A field: what it is set to, or Envoy's default, and where that is stated.
template <class T>
struct Setting {
  T value{};
  /// Of the field's name, and of its value; nowhere when it is left out.
  Place key{};
  Place place{};

  Setting() = default;
  /// A default of Envoy's, which nobody states.
  explicit Setting(T otherwise) : value(std::move(otherwise)) {}

  bool is_stated() const { return static_cast<bool>(key); }
  operator const T&() const {  // NOLINT(google-explicit-constructor): it reads as its value
    return value;
  }
  const T* operator->() const { return &value; }
  const T& operator*() const { return value; }
};

/// What Envoy does not take.
struct Problem {
  Place place;
  /// Its kind: "unknown-field".
  std::string_view rule;
  std::string what;
  std::string mend;
};

}  // namespace extproc::envoy_config
