#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "extproc/export.h"

namespace extproc {

namespace detail {
struct SettingNode;
struct OwnState;
}  // namespace detail

/// How many bytes: written as 65536, or as 64k, 16m, 1g (KiB, MiB, GiB).
struct ByteSize {
  std::uint64_t bytes = 0;
};

/// What a settings file says under `settings` of a processor: a mapping that is the processor's
/// own, and that it reads by name and type where it is made (and where it is told to reload):
///
///   explicit Tenants(const extproc::OwnSettings& settings)
///       : retries_(settings.get_or("retries", 3U)),
///         names_(settings.get<std::vector<std::string>>("names")) {}
///
/// T is a bool, a whole number, a floating-point number, a std::string, a std::chrono::duration
/// (written as seconds, "0.5", and read to the millisecond), a ByteSize, an OwnSettings for a
/// mapping in it, or a std::vector of one of these for a list. A key without a value is not there.
///
/// Errors: an Error that names file, line and key, and says what is accepted. What was read is
/// noted, so that a key that nobody asked for, misspelt or not, is refused by whoever made the
/// processor; see check_all_read().
///
/// Copies are cheap and share what was read. One thread.
class EXTPROC_API OwnSettings {
 public:
  /// Says nothing, as where there is no file.
  OwnSettings();
  /// Of a file named `file`, whose mapping is `node`.
  OwnSettings(detail::SettingNode node, std::string file, std::string path);

  // For programs and tests without a file. A name that is set again takes the later value. What was
  // copied before, or was read, does not change.

  OwnSettings& set(std::string name, std::string value);
  OwnSettings& set(std::string name, const char* value) {
    return set(std::move(name), std::string(value));
  }
  template <class T>
    requires std::integral<T> || std::floating_point<T>
  OwnSettings& set(std::string name, T value) {
    if constexpr (std::same_as<T, bool>) {
      return set(std::move(name), std::string(value ? "true" : "false"));
    } else {
      return set(std::move(name), std::to_string(value));
    }
  }
  OwnSettings& set(std::string name, const std::vector<std::string>& values);
  OwnSettings& set(std::string name, const OwnSettings& mapping);
  OwnSettings& set(std::string name, const std::vector<OwnSettings>& mappings);

  /// Nothing where it is not there.
  template <class T>
  std::optional<T> find(std::string_view name) const {
    const Value value = take(name);
    return value.node == nullptr ? std::nullopt : std::optional<T>(read<T>(value));
  }
  /// Throws Error where it is not there.
  template <class T>
  T get(std::string_view name) const {
    const Value value = take(name);
    if (value.node == nullptr) refuse_missing(name);
    return read<T>(value);
  }
  template <class T>
  T get_or(std::string_view name, T otherwise) const {
    const Value value = take(name);
    return value.node == nullptr ? std::move(otherwise) : read<T>(value);
  }

  bool has(std::string_view name) const;
  bool empty() const { return names().empty(); }
  /// The keys, in the order of the file: for mappings whose keys are data. It reads none of them.
  std::vector<std::string> names() const;
  /// "serve.yaml:12"; empty without a file. For errors of a processor's own.
  std::string where() const;
  /// Throws Error, with the nearest name that was asked for, for keys that were not read; also of
  /// mappings in it. Done for a processor when it has been made or reloaded from a file.
  void check_all_read() const;

 private:
  struct Value {
    const detail::SettingNode* node = nullptr;
    std::string path{};
  };

  OwnSettings(std::shared_ptr<detail::OwnState> state, const detail::SettingNode* node,
              std::string path);

  template <class T>
  struct IsVector : std::false_type {};
  template <class T>
  struct IsVector<std::vector<T>> : std::true_type {};
  template <class T>
  struct IsDuration : std::false_type {};
  template <class Rep, class Period>
  struct IsDuration<std::chrono::duration<Rep, Period>> : std::true_type {};

  template <class T>
  T read(const Value& value) const {
    if constexpr (std::same_as<T, bool>) {
      return read_bool(value);
    } else if constexpr (std::same_as<T, std::string>) {
      return read_text(value);
    } else if constexpr (std::same_as<T, OwnSettings>) {
      return read_mapping(value);
    } else if constexpr (std::same_as<T, ByteSize>) {
      return {read_bytes(value)};
    } else if constexpr (IsDuration<T>::value) {
      return std::chrono::duration_cast<T>(read_time(value));
    } else if constexpr (std::floating_point<T>) {
      return static_cast<T>(read_number(value));
    } else if constexpr (IsVector<T>::value) {
      T list;
      for (const Value& item : read_list(value)) list.push_back(read<typename T::value_type>(item));
      return list;
    } else {
      static_assert(std::integral<T>, "OwnSettings reads no such type: see extproc/own_settings.h");
      if constexpr (std::is_signed_v<T>) {
        return static_cast<T>(
            read_signed(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
      } else {
        return static_cast<T>(read_unsigned(value, std::numeric_limits<T>::max()));
      }
    }
  }

  Value take(std::string_view name) const;
  [[noreturn]] void refuse_missing(std::string_view name) const;
  [[noreturn]] void refuse(const Value& value, std::string_view accepted) const;
  const std::string& scalar(const Value& value, std::string_view accepted) const;
  bool read_bool(const Value& value) const;
  std::string read_text(const Value& value) const;
  OwnSettings read_mapping(const Value& value) const;
  std::uint64_t read_bytes(const Value& value) const;
  std::chrono::milliseconds read_time(const Value& value) const;
  double read_number(const Value& value) const;
  std::int64_t read_signed(const Value& value, std::int64_t least, std::int64_t most) const;
  std::uint64_t read_unsigned(const Value& value, std::uint64_t most) const;
  std::vector<Value> read_list(const Value& value) const;
  detail::SettingNode& change(std::string name);

  std::shared_ptr<detail::OwnState> state_;
  const detail::SettingNode* node_;
  /// As in "settings.retry".
  std::string path_;
};

}  // namespace extproc
