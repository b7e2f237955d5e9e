#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/export.h"

/// Single fields of a JSON body, read and rewritten while it streams, without a tree of it.
///
///   static const JsonPaths paths({"/model", "/messages/*/content"});   // once, for all requests
///   JsonEditor json(paths);
///   while (auto chunk = co_await body.read()) {
///     body.write(json.edit(chunk->bytes(), chunk->end_of_stream(), [](JsonEdit& field) {
///       if (field.path() == 0) field.set_string("small");
///     }));
///   }
namespace extproc {

/// The fields to look for. Set up once; safe from any thread.
class EXTPROC_API JsonPaths {
 public:
  /// JSON Pointers (RFC 6901): "/usage/total_tokens", "/messages/0/role", "" for the whole text;
  /// in the place of an element's number '*' is any element. Throws Error where one is none, one
  /// can be a part of another, or there are more than 64.
  explicit JsonPaths(const std::vector<std::string>& pointers);

  std::size_t size() const { return paths_.size(); }

 private:
  friend class JsonReader;

  struct Segment {
    std::string name{};
    std::optional<std::uint64_t> index{};
    bool any_index = false;
  };
  using Path = std::vector<Segment>;

  /// Which of `among` go on with that name, or that element, `level` names down.
  std::uint64_t matching(std::uint64_t among, std::size_t level, std::string_view name) const;
  std::uint64_t matching(std::uint64_t among, std::size_t level, std::uint64_t index) const;
  /// The first of `among` that ends there.
  std::optional<std::size_t> ending(std::uint64_t among, std::size_t level) const;

  std::vector<Path> paths_;
  std::size_t longest_name_ = 0;
};

struct JsonLimits {
  /// Of a field's text, and so of what is kept between two chunks.
  std::size_t value_bytes = std::size_t{64} << 10;
  /// How many objects and arrays can be in one another; at most 1,000.
  std::size_t depth = 64;
};

enum class JsonKind : std::uint8_t { null, boolean, number, string, object, array };

struct EXTPROC_API JsonField {
  /// Its number in JsonPaths.
  std::size_t path = 0;
  JsonKind kind = JsonKind::null;
  /// As it is written, an object or array with all that is in it. Of one that is too long, its
  /// begin.
  std::string_view raw{};
  /// Longer than the limit: it goes on as it came.
  bool too_long = false;

  /// A string without quotes and escapes; nothing of other kinds, and of one that is too long.
  std::optional<std::string> text() const;
};

/// Finds fields in a text however it is cut. The text is checked on the way: JSON of RFC 8259, in
/// UTF-8, no more and no less. A name that an object has twice is found twice; most readers take
/// the later. One body's; not for several threads at once.
class EXTPROC_API JsonReader {
 public:
  /// `paths` lives as long as this.
  explicit JsonReader(const JsonPaths& paths, JsonLimits limits = {});

  /// The next bytes, to be asked for fields until there are none. They must live as long as that.
  void push(std::string_view chunk);
  /// Nothing follows: what has no end is an error.
  void finish();
  /// The next field, once all of it is there, or null. It is valid until the next call, and as long
  /// as the chunk. Behind an error there are none.
  const JsonField* next();

  /// What is wrong with the text, and at which byte of it; nothing while it is right.
  std::optional<std::string> error() const;

 private:
  friend class JsonEditor;

  enum class State : std::uint8_t {
    value,
    value_or_end,
    name,
    name_or_end,
    colon,
    after_value,
    in_name,
    in_string,
    in_number,
    in_literal,
    failed,
  };
  enum class Number : std::uint8_t { minus, zero, whole, point, fraction, e, sign, exponent };
  struct Level {
    std::uint64_t mask;
    std::uint64_t index;
    bool is_object;
  };

  bool run();
  bool scan_open();
  const char* name_end(const char* at, const char* end, State& state);
  const char* value_end(const char* at, const char* end, State& state);
  void begin_field(char c);
  void begin_element();
  void open(bool is_object);
  void close(char c);
  bool end_value();
  void begin_name(const char* at);
  void end_name();
  bool scan_string();
  void special(unsigned char c);
  void escaped(unsigned char c);
  bool scan_number();
  bool number_char(char c);
  bool scan_literal();
  const JsonField* keep_open_value();
  void keep_open_name();
  bool end_text();
  void fail(const char* why);

  const JsonPaths& paths_;
  JsonLimits limits_;
  std::string_view chunk_;
  std::string backlog_;       // chunks that were not asked for when the next came
  std::size_t at_ = 0;        // in chunk_
  std::uint64_t before_ = 0;  // bytes of chunks before
  std::vector<Level> levels_;
  std::uint64_t mask_ = 0;  // of the value that comes next
  State state_ = State::value;
  Number number_ = Number::minus;
  const char* literal_ = nullptr;

  // Of a string.
  std::uint8_t escape_ = 0;  // 1: behind '\', 2 to 5: digits to come, and one
  bool needs_low_ = false;   // behind the first half of a pair of surrogates
  std::uint16_t hex_ = 0;
  std::uint8_t utf8_left_ = 0;
  unsigned char utf8_low_ = 0x80, utf8_high_ = 0xbf;
  bool has_escape_ = false;

  std::string name_;  // what of a name came in chunks before
  std::size_t name_from_ = 0;
  bool collects_name_ = false;

  JsonField field_;
  bool capturing_ = false;
  bool ends_text_ = false;
  std::size_t capture_level_ = 0;
  std::size_t from_ = 0;       // in chunk_: where the field begins, or goes on
  std::size_t open_from_ = 0;  // the same, of the chunk that has just ended
  std::string kept_;           // what of the field came in chunks before
  std::string given_;          // what the field that was given last refers to
  const char* error_ = nullptr;
  std::uint64_t error_at_ = 0;
};

/// What is to become of one field. Left alone, it goes on as it came.
class EXTPROC_API JsonEdit {
 public:
  const JsonField& field() const { return field_; }
  std::size_t path() const { return field_.path; }

  /// `json` in its place, which has to be JSON: nobody looks at it. Not of one that is too long.
  void set_json(std::string_view json);
  /// `text` as a string; what in it is no UTF-8 stays so.
  void set_string(std::string_view text);

 private:
  friend class JsonEditor;

  explicit JsonEdit(const JsonField& field) : field_(field) {}

  const JsonField& field_;
  std::optional<std::string> json_;
};

/// Rewrites fields chunk by chunk. A field that has begun is kept until it is whole or too long;
/// all else goes on at once. Behind an error all goes on as it came: see error(). One body's; not
/// for several threads at once.
class EXTPROC_API JsonEditor {
 public:
  explicit JsonEditor(const JsonPaths& paths, JsonLimits limits = {}) : reader_(paths, limits) {}

  /// What the chunk becomes, valid until the next call and as long as the chunk.
  /// `on_field(JsonEdit&)` is called for each field that is whole now.
  template <class OnField>
  std::string_view edit(std::string_view chunk, bool last, OnField&& on_field) {
    out_.clear();
    copied_ = 0;
    reader_.push(chunk);
    while (const JsonField* field = next(last)) {
      JsonEdit edit(*field);
      on_field(edit);
      end_field(edit);
    }
    return end_chunk();
  }

  std::optional<std::string> error() const { return reader_.error(); }

 private:
  const JsonField* next(bool last);
  void end_field(const JsonEdit& edit);
  std::string_view end_chunk();

  JsonReader reader_;
  std::string out_;
  std::size_t held_ = 0;    // bytes of an open field in chunks before
  std::size_t copied_ = 0;  // of the chunk: what is in out_, or was replaced
};

/// A string of JSON: in quotes, with what needs it escaped.
EXTPROC_API std::string json_quoted(std::string_view text);

}  // namespace extproc
