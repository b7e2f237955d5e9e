#include "extproc/sse.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace extproc::sse {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Where `c` stands from `from` on; npos where it does not.
std::size_t find_byte(std::string_view text, char c, std::size_t from) {
  if (from >= text.size()) return std::string_view::npos;
  const void* found = std::memchr(text.data() + from, c, text.size() - from);
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

void append_lines(std::string& out, std::string_view field, std::string_view text) {
  while (true) {
    const std::string_view line = first_line(text);
    out.append(field).append(": ").append(line).append("\n");
    if (line.size() == text.size()) return;
    const bool two = text.substr(line.size()).starts_with("\r\n");
    text.remove_prefix(line.size() + (two ? 2 : 1));
  }
}

}  // namespace

void Parser::push(std::string_view chunk) {
  if (rest_.empty()) {
    rest_ = chunk;
  } else {
    // What was not asked for is not lost.
    backlog_ = std::string(rest_).append(chunk);
    rest_ = backlog_;
  }
  scanned_ = 0;
  has_cr_ = find_byte(rest_, '\r', 0) != std::string_view::npos;
}

/// Goes on in rest_ until behind the empty line that ends a block, or to where the chunk or what a
/// block may have ends. Whether a block, or a piece of one, is over.
bool Parser::find_end(bool& whole) {
  const std::size_t room = most_ - std::min(most_, kept_.size());
  const std::size_t end = std::min(rest_.size(), room);
  whole = true;
  while (scanned_ < end) {
    const char c = rest_[scanned_];
    if (c == '\n' && after_cr_) {
      after_cr_ = false;
      ++scanned_;
      continue;
    }
    after_cr_ = c == '\r';
    if (c == '\n' || c == '\r') {
      ++scanned_;
      if (at_line_start_) {
        // The LF that belongs to it; where the chunk is cut in between, the block ends even so.
        if (after_cr_ && scanned_ < rest_.size() && rest_[scanned_] == '\n') {
          after_cr_ = false;
          ++scanned_;
        }
        return true;
      }
      at_line_start_ = true;
      continue;
    }
    at_line_start_ = false;
    const std::string_view open = rest_.substr(0, end);
    std::size_t line_end = find_byte(open, '\n', scanned_ + 1);
    if (has_cr_) {
      const std::string_view line = open.substr(0, line_end);
      line_end = std::min(line_end, find_byte(line, '\r', scanned_ + 1));
    }
    scanned_ = std::min(line_end, end);
  }
  whole = false;
  return kept_.size() + scanned_ >= most_;
}

const Event* Parser::next() {
  event_ = {};
  bool whole = false;
  if (find_end(whole)) {
    const std::string_view part = rest_.substr(0, scanned_);
    rest_.remove_prefix(scanned_);
    scanned_ = 0;
    if (kept_.empty()) {
      event_.raw = part;
    } else {
      kept_.append(part);
      spare_.swap(kept_);
      kept_.clear();
      event_.raw = spare_;
    }
    if (!whole || in_long_block_) {
      event_.kind = Event::Kind::piece;
      in_long_block_ = !whole;
    } else {
      read_block(event_.raw);
    }
    at_stream_start_ = false;
    return &event_;
  }
  kept_.append(rest_);
  rest_ = {};
  scanned_ = 0;
  if (!finished_ || kept_.empty()) return nullptr;
  spare_.swap(kept_);
  kept_.clear();
  event_.raw = spare_;
  event_.kind = in_long_block_ ? Event::Kind::piece : Event::Kind::unfinished;
  if (!in_long_block_) read_block(event_.raw);
  return &event_;
}

void Parser::read_block(std::string_view block) {
  if (at_stream_start_ && block.starts_with(kByteOrderMark)) {
    block.remove_prefix(kByteOrderMark.size());
  }
  // Of the line end in front of it, which was cut.
  if (block.starts_with('\n')) block.remove_prefix(1);
  const bool has_cr = find_byte(block, '\r', 0) != std::string_view::npos;
  while (!block.empty()) {
    std::size_t end = std::min(find_byte(block, '\n', 0), block.size());
    if (has_cr) end = std::min(end, find_byte(block.substr(0, end), '\r', 0));
    if (end != 0) read_line(block.substr(0, end));
    block.remove_prefix(std::min(end + 1, block.size()));
  }
}

void Parser::read_line(std::string_view line) {
  const std::size_t colon = std::min(find_byte(line, ':', 0), line.size());
  const std::string_view field = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    if (!event_.data) {
      event_.data = value;
      return;
    }
    if (event_.data->data() != joined_.data() || joined_.empty()) joined_ = *event_.data;
    joined_ += '\n';
    joined_ += value;
    event_.data = joined_;
  } else if (field == "event") {
    event_.type = value;
  } else if (field == "id") {
    if (find_byte(value, '\0', 0) == std::string_view::npos) event_.id = value;
  } else if (field == "retry") {
    std::int64_t milliseconds = 0;
    const auto end = value.data() + value.size();
    const bool digits = !value.empty() && value.front() != '-';
    const auto parsed = std::from_chars(value.data(), end, milliseconds);
    if (digits && parsed.ec == std::errc{} && parsed.ptr == end) {
      event_.retry = std::chrono::milliseconds(milliseconds);
    }
  }
}

std::string to_text(const NewEvent& event) {
  std::string text;
  if (!event.type.empty()) append_lines(text, "event", first_line(event.type));
  if (!event.id.empty()) append_lines(text, "id", first_line(event.id));
  append_lines(text, "data", event.data);
  return text += '\n';
}

void Edit::set_data(std::string_view data) {
  if (event_.kind != Event::Kind::whole) return;
  changed_.clear();
  if (!event_.type.empty()) append_lines(changed_, "event", event_.type);
  if (event_.id) append_lines(changed_, "id", *event_.id);
  if (event_.retry) append_lines(changed_, "retry", std::to_string(event_.retry->count()));
  append_lines(changed_, "data", data);
  changed_ += '\n';
}

void Edit::end() {
  if (kept_) out_ += changed_.empty() ? event_.raw : std::string_view(changed_);
  out_ += behind_;
}

}  // namespace extproc::sse
