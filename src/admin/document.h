#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace extproc::admin {

/// What a page tells: a value as JSON has them, written as JSON for programs and as HTML for
/// people. Members keep their order. (Boost.JSON is not used, since its compiled part would be in
/// the library, and a program may bring its own.)
class Document {
 public:
  using Member = std::pair<std::string, Document>;
  struct Nothing {};
  using List = std::vector<Document>;
  using Object = std::vector<Member>;

  Document() = default;
  Document(bool value) : value_(value) {}                     // NOLINT(google-explicit-constructor)
  Document(std::int64_t value) : value_(value) {}             // NOLINT(google-explicit-constructor)
  Document(std::uint64_t value) : value_(value) {}            // NOLINT(google-explicit-constructor)
  Document(int value) : value_(std::int64_t{value}) {}        // NOLINT(google-explicit-constructor)
  Document(unsigned value) : value_(std::uint64_t{value}) {}  // NOLINT(google-explicit-constructor)
  Document(std::string value) : value_(std::move(value)) {}   // NOLINT(google-explicit-constructor)
  Document(std::string_view value)
      : value_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  Document(const char* value)
      : value_(std::string(value)) {}                 // NOLINT(google-explicit-constructor)
  Document(List value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)

  static Document object(std::initializer_list<Member> members) {
    Document document;
    document.value_ = Object(members);
    return document;
  }
  /// To an object, or to what is nothing yet, which becomes one.
  void add(std::string name, Document value);
  /// To a list, or to what is nothing yet, which becomes one.
  void append(Document value);

  const auto& value() const { return value_; }
  /// Of an object; null where it has none of that name.
  const Document* find(std::string_view name) const;

 private:
  std::variant<Nothing, bool, std::int64_t, std::uint64_t, std::string, List, Object> value_;
};

/// As RFC 8259 has it, with indentation and a newline at the end. Bytes that are no UTF-8 become
/// U+FFFD.
std::string to_json(const Document& document);

/// A table of an object, a table with a heading of a list of objects, else text.
void append_html(const Document& document, std::string& out);
/// Text within HTML, also in an attribute's quotes.
void append_escaped_html(std::string_view text, std::string& out);

}  // namespace extproc::admin
