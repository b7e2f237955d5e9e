#include "blocks/redis/reply_reader.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>
#include <utility>

namespace extproc::redis {
namespace {

constexpr std::size_t kMostDepth = 32;
constexpr std::string_view kLineEnd = "\r\n";

template <class T>
T number_of(std::string_view text) {
  T number{};
  // from_chars takes no plus.
  const std::string_view digits =
      text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || at != end) throw ReplyError("a number is none");
  return number;
}

double real_of(std::string_view text) {
  if (text == "inf" || text == "+inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  if (text == "nan" || text == "-nan") return std::numeric_limits<double>::quiet_NaN();
  return number_of<double>(text);
}

/// -1 is RESP2's null.
std::optional<std::size_t> length_of(std::string_view text) {
  const auto length = number_of<std::int64_t>(text);
  if (length == -1) return std::nullopt;
  if (length < 0) throw ReplyError("a length is negative");
  return static_cast<std::size_t>(length);
}

bool is_whole_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool ReplyReader::take(std::string_view& bytes, Value& reply) {
  while (!bytes.empty()) {
    const bool has_value = in_text_ ? take_text(bytes) : take_line(bytes);
    if (has_value && add_value()) {
      reply = std::exchange(value_, {});
      used_ = 0;
      return true;
    }
  }
  return false;
}

void ReplyReader::count(std::size_t bytes) {
  if (bytes > most_bytes_ - used_) {
    throw ReplyError("a reply takes more than " + std::to_string(most_bytes_) +
                     " bytes (reply_bytes)");
  }
  used_ += bytes;
}

bool ReplyReader::take_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  const std::string_view part = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
  bytes.remove_prefix(part.size());
  if (end == std::string_view::npos || !line_.empty()) {
    if (line_.size() + part.size() > most_bytes_ - used_) count(line_.size() + part.size());
    line_.append(part);
    if (end == std::string_view::npos) return false;
    const std::string line = std::exchange(line_, {});
    return read_line(line);
  }
  return read_line(part);
}

bool ReplyReader::read_line(std::string_view line) {
  if (line.size() < 3 || !line.ends_with(kLineEnd)) throw ReplyError("a line does not end in CRLF");
  line.remove_suffix(kLineEnd.size());
  const char type = line.front();
  const std::string_view rest = line.substr(1);
  if (rest.find('\r') != std::string_view::npos) throw ReplyError("a line has a CR in it");
  count(sizeof(Value));
  value_ = {};
  switch (type) {
    case '$':
    case '=':
    case '!':
      return begin_text(type, rest);
    case '*':
    case '~':
    case '%':
    case '|':
    case '>':
      return begin_aggregate(type, rest);
    case '+':
    case '-':
      count(rest.size());
      value_.kind = type == '+' ? Value::Kind::text : Value::Kind::error;
      value_.text = rest;
      return true;
    case '(':
      if (!is_whole_number(rest)) throw ReplyError("a big number is none");
      count(rest.size());
      value_.kind = Value::Kind::text;
      value_.text = rest;
      return true;
    case ':':
      value_.kind = Value::Kind::integer;
      value_.integer = number_of<std::int64_t>(rest);
      return true;
    case ',':
      value_.kind = Value::Kind::number;
      value_.number = real_of(rest);
      return true;
    case '#':
      if (rest != "t" && rest != "f") throw ReplyError("a boolean is neither t nor f");
      value_.kind = Value::Kind::boolean;
      value_.integer = rest == "t" ? 1 : 0;
      return true;
    case '_':
      if (!rest.empty()) throw ReplyError("a null has something behind it");
      return true;
    default:
      throw ReplyError("a reply begins with none of RESP's types");
  }
}

bool ReplyReader::begin_text(char type, std::string_view length) {
  const auto size = length_of(length);
  if (!size) {
    if (type != '$') throw ReplyError("a length is negative");
    return true;
  }
  verbatim_ = type == '=';
  if (verbatim_ && *size < 4) throw ReplyError("a verbatim string has no format");
  count(*size);
  value_.kind = type == '!' ? Value::Kind::error : Value::Kind::text;
  in_text_ = true;
  text_missing_ = *size + kLineEnd.size();
  return false;
}

bool ReplyReader::take_text(std::string_view& bytes) {
  const std::string_view part = bytes.substr(0, text_missing_);
  bytes.remove_prefix(part.size());
  text_missing_ -= part.size();
  value_.text.append(part);
  if (text_missing_ > 0) return false;
  if (!value_.text.ends_with(kLineEnd)) throw ReplyError("a string does not end in CRLF");
  value_.text.resize(value_.text.size() - kLineEnd.size());
  in_text_ = false;
  if (std::exchange(verbatim_, false)) {
    if (value_.text[3] != ':') throw ReplyError("a verbatim string has no format");
    value_.text.erase(0, 4);
  }
  return true;
}

bool ReplyReader::begin_aggregate(char type, std::string_view length) {
  const auto size = length_of(length);
  if (!size) {
    if (type != '*') throw ReplyError("a length is negative");
    return true;
  }
  const bool pairs = type == '%' || type == '|';
  if (*size > std::numeric_limits<std::size_t>::max() / 2)
    throw ReplyError("a length is too large");
  if (type == '>' && !open_.empty()) throw ReplyError("a push is within a reply");
  value_.kind = pairs ? Value::Kind::map : Value::Kind::array;
  Open open{.value = std::move(value_),
            .missing = pairs ? *size * 2 : *size,
            .left_out = type == '|' || type == '>'};
  value_ = {};
  if (open.missing == 0) {
    if (open.left_out) return false;
    value_ = std::move(open.value);
    return true;
  }
  if (open_.size() >= kMostDepth) throw ReplyError("a reply is nested too deeply");
  open_.push_back(std::move(open));
  return false;
}

bool ReplyReader::add_value() {
  while (!open_.empty()) {
    Open& top = open_.back();
    // What it takes is counted all the same: it is bounded as it comes.
    if (!top.left_out) top.value.items.push_back(std::move(value_));
    value_ = {};
    if (--top.missing > 0) return false;
    const bool left_out = top.left_out;
    value_ = std::move(top.value);
    open_.pop_back();
    if (left_out) {
      value_ = {};
      if (open_.empty()) used_ = 0;
      return false;
    }
  }
  return true;
}

}  // namespace extproc::redis
