// Structure: objects, arrays, names, and which values are fields. What stands in strings and
// numbers is in json_scalars.cc.
#include <algorithm>

#include "blocks/json_scan.h"
#include "blocks/json_text.h"
#include "extproc/json_fields.h"

namespace extproc {

JsonReader::JsonReader(const JsonPaths& paths, JsonLimits limits)
    : paths_(paths),
      limits_(limits),
      mask_(paths.size() == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << paths.size()) - 1) {
  limits_.depth = std::min<std::size_t>(limits_.depth, 1000);
  levels_.reserve(8);
}

void JsonReader::push(std::string_view chunk) {
  if (at_ == chunk_.size()) {
    before_ += chunk_.size();
    chunk_ = chunk;
    at_ = from_ = name_from_ = 0;
  } else {
    // What was not asked for is not lost.
    backlog_ = std::string(chunk_).append(chunk);
    chunk_ = backlog_;
  }
}

void JsonReader::finish() { ends_text_ = true; }

const JsonField* JsonReader::next() {
  if (run()) return &field_;
  if (state_ == State::failed) {
    at_ = chunk_.size();
    return nullptr;
  }
  if (state_ == State::in_name) keep_open_name();
  if (ends_text_ && end_text()) return &field_;
  return capturing_ ? keep_open_value() : nullptr;
}

std::optional<std::string> JsonReader::error() const {
  if (error_ == nullptr) return std::nullopt;
  return "not JSON at byte " + std::to_string(error_at_) + ": " + error_;
}

void JsonReader::fail(const char* why) {
  state_ = State::failed;
  error_ = why;
  error_at_ = before_ + at_;
  capturing_ = false;
}

/// What a chunk before has begun, from any byte on; whether it is a value, and over.
bool JsonReader::scan_open() {
  switch (state_) {
    case State::in_string:
      return scan_string();
    case State::in_name:
      if (scan_string()) end_name();
      return false;
    case State::in_number:
      return scan_number();
    default:
      return scan_literal();
  }
}

/// Goes on to the end of a field, or of the chunk; whether it is the former. Where it is, and in
/// which state, lies in registers on the way: each byte would wait for them in memory.
bool JsonReader::run() {
  const char* const begin = chunk_.data();
  const char* const end = begin + chunk_.size();
  const char* at = begin + at_;
  State state = state_;
  State next = state;  // what is handed out has to lie in memory
  const auto put_down = [&] {
    at_ = static_cast<std::size_t>(at - begin);
    state_ = state;
  };
  // Behind a value; whether it was a field.
  const auto ends_field = [&] {
    state = State::after_value;
    if (!capturing_ || levels_.size() != capture_level_) return false;
    put_down();
    return end_value();
  };
  const auto closes = [&] {
    put_down();
    close(*at);
    state = state_;
    ++at;
    return state != State::failed && ends_field();
  };
  while (at != end && state != State::failed) {
    if (state >= State::in_name) {
      put_down();
      const bool over = scan_open();
      at = begin + at_;
      state = state_;
      if (over && ends_field()) return true;
      continue;
    }
    if (*at <= ' ' && json_text::is_blank(*at)) {
      ++at;
      continue;
    }
    switch (state) {
      case State::after_value:
        if (*at != ',' || levels_.empty()) {
          if (closes()) return true;
          break;
        }
        ++at;
        if (Level& level = levels_.back(); level.is_object) {
          state = State::name;
        } else {
          state = State::value;
          ++level.index;
          if (level.mask != 0) begin_element();
        }
        break;
      case State::name_or_end:
        if (*at == '}') {
          if (closes()) return true;
          break;
        }
        [[fallthrough]];
      case State::name:
        at = name_end(at, end, next);
        state = next;
        break;
      case State::colon:
        if (*at != ':') {
          put_down();
          fail("':' is missing behind a name");
          return false;
        }
        ++at;
        state = State::value;
        break;
      case State::value_or_end:
        if (*at == ']') {
          if (closes()) return true;
          break;
        }
        [[fallthrough]];
      default:
        if (mask_ != 0) {
          put_down();
          begin_field(*at);
        }
        at = value_end(at, end, next);
        state = next;
        if (state == State::after_value && ends_field()) return true;
    }
  }
  if (state != State::failed) put_down();
  return false;
}

/// Behind a name that is whole; else behind what has begun.
const char* JsonReader::name_end(const char* at, const char* end, State& state) {
  if (*at != '"') {
    at_ = static_cast<std::size_t>(at - chunk_.data());
    fail("a name in quotes is missing");
    state = State::failed;
    return at;
  }
  const char* const name = at + 1;
  const char* const quote = json_scan::plain_end(name, end);
  if (quote == end || *quote != '"') {
    begin_name(name);
    state = State::in_name;
    return name;
  }
  const Level& level = levels_.back();
  mask_ = level.mask == 0
              ? 0
              : paths_.matching(level.mask, levels_.size() - 1, std::string_view(name, quote));
  if (end - quote > 1 && quote[1] == ':') {
    state = State::value;
    return quote + 2;
  }
  state = State::colon;
  return quote + 1;
}

/// Behind a value that is whole, with State::after_value; else behind what has begun.
const char* JsonReader::value_end(const char* at, const char* end, State& state) {
  switch (*at) {
    case '"': {
      const char* const quote = json_scan::string_end(at + 1, end);
      const bool whole = quote != end && *quote == '"';
      state = whole ? State::after_value : State::in_string;
      return whole ? quote + 1 : quote;
    }
    case '{':
    case '[':
      at_ = static_cast<std::size_t>(at - chunk_.data());
      open(*at == '{');
      state = state_;
      return at + 1;
    case 't':
    case 'f':
    case 'n': {
      if (const char* const behind = json_scan::literal_end(at, end)) {
        state = State::after_value;
        return behind;
      }
      literal_ = *at == 't' ? "rue" : *at == 'f' ? "alse" : "ull";
      state = State::in_literal;
      return at + 1;
    }
    default:
      break;
  }
  if (*at != '-' && !json_scan::is_digit(*at)) {
    at_ = static_cast<std::size_t>(at - chunk_.data());
    fail("a value is missing");
    state = State::failed;
    return at;
  }
  if (const char* const behind = json_scan::number_end(at, end)) {
    state = State::after_value;
    return behind;
  }
  number_ = *at == '-' ? Number::minus : *at == '0' ? Number::zero : Number::whole;
  state = State::in_number;
  return at + 1;
}

/// A value that is looked for, if it is one.
void JsonReader::begin_field(char c) {
  const auto path = paths_.ending(mask_, levels_.size());
  if (!path) return;
  field_ = {*path, json_text::kind_of(c), {}, false};
  capturing_ = true;
  capture_level_ = levels_.size();
  from_ = at_;
  kept_.clear();
}

void JsonReader::open(bool is_object) {
  if (levels_.size() == limits_.depth) {
    fail("too many objects and arrays in one another");
    return;
  }
  levels_.push_back({capturing_ ? 0 : mask_, 0, is_object});
  state_ = is_object ? State::name_or_end : State::value_or_end;
  if (!is_object) begin_element();
}

void JsonReader::begin_element() {
  const Level& level = levels_.back();
  mask_ = level.mask == 0 ? 0 : paths_.matching(level.mask, levels_.size() - 1, level.index);
}

/// What is in front of it is a value, or nothing.
void JsonReader::close(char c) {
  if (levels_.empty()) return fail("something is behind its end");
  if (c != '}' && c != ']') return fail("',' or an end is missing behind a value");
  if (levels_.back().is_object != (c == '}')) {
    return fail("an object or array is closed that is not open");
  }
  levels_.pop_back();
  state_ = State::after_value;
}

/// Of one that is cut, or has escapes.
void JsonReader::begin_name(const char* at) {
  name_from_ = static_cast<std::size_t>(at - chunk_.data());
  name_.clear();
  collects_name_ = levels_.back().mask != 0;
  has_escape_ = false;
}

void JsonReader::end_name() {
  state_ = State::colon;
  mask_ = 0;
  if (!collects_name_) return;
  std::string_view name = chunk_.substr(name_from_, at_ - 1 - name_from_);
  if (!name_.empty()) name = name_.append(name);
  const std::string plain = has_escape_ ? json_text::unescaped(name) : std::string();
  mask_ = paths_.matching(levels_.back().mask, levels_.size() - 1,
                          has_escape_ ? std::string_view(plain) : name);
}

/// A name that is longer than any that is looked for is not kept. An escape of six bytes can be
/// one.
void JsonReader::keep_open_name() {
  if (!collects_name_) return;
  name_.append(chunk_.substr(name_from_));
  name_from_ = chunk_.size();
  if (name_.size() > 6 * paths_.longest_name_) collects_name_ = false;
}

/// Whether a field ends with this value.
bool JsonReader::end_value() {
  state_ = State::after_value;
  if (!capturing_ || levels_.size() != capture_level_) return false;
  capturing_ = false;
  field_.raw = chunk_.substr(from_, at_ - from_);
  if (!kept_.empty()) {
    given_.swap(kept_.append(field_.raw));
    field_.raw = given_;
  }
  field_.too_long = field_.raw.size() > limits_.value_bytes;
  if (field_.too_long) field_.raw = field_.raw.substr(0, limits_.value_bytes);
  return true;
}

const JsonField* JsonReader::keep_open_value() {
  open_from_ = from_;
  kept_.append(chunk_.substr(from_));
  from_ = chunk_.size();
  if (kept_.size() <= limits_.value_bytes) return nullptr;
  capturing_ = false;
  given_.swap(kept_);
  field_.raw = std::string_view(given_).substr(0, limits_.value_bytes);
  field_.too_long = true;
  return &field_;
}

bool JsonReader::end_text() {
  ends_text_ = false;
  const bool whole_number = number_ != Number::minus && number_ != Number::point &&
                            number_ != Number::e && number_ != Number::sign;
  const bool ends_field = state_ == State::in_number && whole_number && end_value();
  if (state_ != State::after_value || !levels_.empty()) fail("it has no end");
  return ends_field;
}

}  // namespace extproc
