#include "extproc/request.h"

#include <charconv>
#include <utility>

#include "base/recycle.h"

namespace extproc {
namespace {

// Kept from one use of a pooled Request to the next; what is larger was an exception and is given
// back.
constexpr std::size_t kKeptByRequest = 1024;

std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

}  // namespace

void Request::begin_phase(Phase phase, const HeaderView* headers) {
  phase_ = phase;
  if (headers == nullptr) return;
  if (phase == Phase::request_headers) read_request_headers(*headers);
  if (phase == Phase::response_headers) read_response_headers(*headers);
}

void Request::read_request_headers(const HeaderView& headers) {
  std::string_view method, path, id, content_type;
  bool has_length = false;
  for (const auto& [name, value] : headers) {
    if (name == ":method" && method.empty()) {
      method = value;
    } else if (name == ":path" && path.empty()) {
      path = value;
    } else if (name == "x-request-id" && id.empty()) {
      id = value;
    } else if (name == "content-type" && content_type.empty()) {
      content_type = value;
    } else if (name == "content-length" && !has_length) {
      content_length_ = parse_length(value).value_or(kNoLength);
      has_length = true;
    }
  }
  text_.clear();
  text_.reserve(method.size() + path.size() + id.size() + content_type.size());
  const auto keep = [this](std::string_view value) {
    const Slice slice{static_cast<std::uint32_t>(text_.size()),
                      static_cast<std::uint32_t>(value.size())};
    text_.append(value);
    return slice;
  };
  method_ = keep(method);
  path_ = keep(path);
  id_ = keep(id);
  content_type_ = keep(content_type);
}

void Request::read_response_headers(const HeaderView& headers) {
  response_seen_ = true;
  std::string_view content_type;
  std::optional<std::string_view> length;
  for (const auto& [name, value] : headers) {
    if (name == "content-type" && content_type.empty()) {
      content_type = value;
    } else if (name == "content-length" && !length) {
      length = value;
    }
  }
  response_content_type_ = content_type;
  content_length_ = length ? parse_length(*length).value_or(kNoLength) : kNoLength;
}

void Request::clear_state() {
  // No handler runs any more.
  StateBase* node = state_.load(std::memory_order_relaxed);
  if (node == nullptr) return;
  state_.store(nullptr, std::memory_order_relaxed);
  while (node != nullptr) delete std::exchange(node, node->next);
}

void Request::reset() {
  clear_state();
  recycle(text_, kKeptByRequest);
  recycle(response_content_type_, kKeptByRequest);
  method_ = path_ = id_ = content_type_ = Slice{};
  content_length_ = kNoLength;
  overhead_ = std::chrono::nanoseconds{0};
  phase_.reset();
  response_seen_ = false;
}

}  // namespace extproc
