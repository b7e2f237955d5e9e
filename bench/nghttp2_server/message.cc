#include "message.h"

#include <cstring>

namespace bench::nghttp2_server {
namespace {

constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kBytes = 2;
constexpr std::uint32_t kFixed32 = 5;
constexpr std::string_view kRequestId = "x-request-id";

/// The fields of one protobuf message.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool next() {
    if (failed_ || at_ == end_) return false;
    const std::uint64_t key = varint();
    number_ = static_cast<std::uint32_t>(key >> 3U);
    wire_type_ = static_cast<std::uint32_t>(key & 7U);
    switch (wire_type_) {
      case kVarint:
        value_ = varint();
        break;
      case kBytes:
        skip(varint());
        break;
      case kFixed64:
        skip(8);
        break;
      case kFixed32:
        skip(4);
        break;
      default:
        failed_ = true;
    }
    return !failed_;
  }

  bool is(std::uint32_t number, std::uint32_t wire_type) const {
    return number_ == number && wire_type_ == wire_type;
  }
  std::uint32_t number() const { return number_; }
  bool is_bytes() const { return wire_type_ == kBytes; }
  std::string_view bytes() const { return bytes_; }
  std::uint64_t value() const { return value_; }
  bool ok() const { return !failed_; }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    failed_ = true;
    return 0;
  }

  void skip(std::uint64_t size) {
    if (failed_ || size > static_cast<std::uint64_t>(end_ - at_)) {
      failed_ = true;
      return;
    }
    bytes_ = {at_, static_cast<std::size_t>(size)};
    at_ += size;
  }

  const char* at_;
  const char* end_;
  std::string_view bytes_;
  std::uint64_t value_ = 0;
  std::uint32_t number_ = 0;
  std::uint32_t wire_type_ = 0;
  bool failed_ = false;
};

/// Writes from the last byte to the first, so that lengths are known when they are written.
class BackWriter {
 public:
  explicit BackWriter(char* end) : at_(end), end_(end) {}

  void bytes(std::string_view text) {
    at_ -= text.size();
    std::memcpy(at_, text.data(), text.size());
  }
  void byte(unsigned value) { *--at_ = static_cast<char>(value); }
  void varint(std::size_t value) {
    char digits[10];
    std::size_t count = 0;
    for (; value >= 0x80; value >>= 7U) digits[count++] = static_cast<char>(value | 0x80U);
    digits[count++] = static_cast<char>(value);
    bytes({digits, count});
  }
  /// Key and length of a field whose content was written just before.
  void wrap(unsigned field, std::size_t content) {
    varint(content);
    byte(field << 3U | kBytes);
  }
  void grpc_prefix(std::size_t content) {
    for (unsigned i = 0; i < 4; ++i) byte(static_cast<unsigned>(content >> 8U * i) & 0xFFU);
    byte(0);
  }
  const char* at() const { return at_; }
  std::size_t size() const { return static_cast<std::size_t>(end_ - at_); }

 private:
  char* at_;
  char* end_;
};

/// A phase's number in ProcessingResponse is one less than in ProcessingRequest.
unsigned answer_field(Phase phase) { return static_cast<unsigned>(phase) - 1; }

}  // namespace

bool read_message(std::string_view bytes, Message& message) {
  Fields fields(bytes);
  while (fields.next()) {
    if (fields.is_bytes() && fields.number() >= 2 && fields.number() <= 7)
      message = {static_cast<Phase>(fields.number()), fields.bytes()};
  }
  return fields.ok();
}

bool read_request_id(std::string_view headers, std::string_view& id) {
  Fields in_headers(headers);
  while (in_headers.next()) {
    if (!in_headers.is(1, kBytes)) continue;
    Fields in_map(in_headers.bytes());
    while (in_map.next()) {
      if (!in_map.is(1, kBytes)) continue;
      Fields in_entry(in_map.bytes());
      std::string_view key;
      std::string_view value;
      while (in_entry.next()) {
        if (in_entry.is(1, kBytes)) key = in_entry.bytes();
        if (in_entry.is(3, kBytes)) value = in_entry.bytes();
      }
      if (!in_entry.ok()) return false;
      if (key == kRequestId) {
        id = value;
        return true;
      }
    }
    if (!in_map.ok()) return false;
  }
  return in_headers.ok();
}

bool read_body(std::string_view content, Body& body) {
  Fields fields(content);
  while (fields.next()) {
    if (fields.is(1, kBytes)) body.bytes = fields.bytes();
    if (fields.is(2, kVarint)) body.end_of_stream = fields.value() != 0;
  }
  return fields.ok();
}

void append_header_answer(std::string& out, Phase phase, std::string_view name,
                          std::string_view value) {
  constexpr std::size_t kMaxAround = 64;
  const std::size_t before = out.size();
  out.resize(before + kMaxAround + name.size() + value.size());
  BackWriter writer(out.data() + out.size());
  writer.bytes(value);
  writer.wrap(3, value.size());  // HeaderValue.raw_value
  writer.bytes(name);
  writer.wrap(1, name.size());    // HeaderValue.key
  writer.wrap(1, writer.size());  // HeaderValueOption.header
  writer.wrap(1, writer.size());  // HeaderMutation.set_headers
  writer.wrap(2, writer.size());  // CommonResponse.header_mutation
  writer.wrap(1, writer.size());  // HeadersResponse.response
  writer.wrap(answer_field(phase), writer.size());
  writer.grpc_prefix(writer.size());
  std::memmove(out.data() + before, writer.at(), writer.size());
  out.resize(before + writer.size());
}

void append_empty_answer(std::string& out, Phase phase) {
  char bytes[7];
  BackWriter writer(bytes + sizeof bytes);
  writer.wrap(answer_field(phase), 0);
  writer.grpc_prefix(writer.size());
  out.append(writer.at(), writer.size());
}

void append_body_answer_head(std::string& out, Phase phase, std::size_t size) {
  char bytes[Envelope::kMaxHead];
  BackWriter writer(bytes + sizeof bytes);
  writer.wrap(1, size);                  // BodyMutation.body
  writer.wrap(3, writer.size() + size);  // CommonResponse.body_mutation
  writer.wrap(1, writer.size() + size);  // BodyResponse.response
  writer.wrap(answer_field(phase), writer.size() + size);
  writer.grpc_prefix(writer.size() + size);
  out.append(writer.at(), writer.size());
}

Envelope streamed_envelope(Phase phase, const Body& body) {
  Envelope envelope{};
  if (body.end_of_stream) {
    envelope.tail[0] = 2 << 3 | kVarint;  // StreamedBodyResponse.end_of_stream
    envelope.tail[1] = 1;
    envelope.tail_size = 2;
  }
  const std::size_t rest = body.bytes.size() + envelope.tail_size;
  char bytes[Envelope::kMaxHead];
  BackWriter writer(bytes + sizeof bytes);
  if (!body.bytes.empty()) writer.wrap(1, body.bytes.size());  // StreamedBodyResponse.body
  writer.wrap(3, writer.size() + rest);                        // BodyMutation.streamed_response
  writer.wrap(3, writer.size() + rest);                        // CommonResponse.body_mutation
  writer.wrap(1, writer.size() + rest);                        // BodyResponse.response
  writer.wrap(answer_field(phase), writer.size() + rest);
  writer.grpc_prefix(writer.size() + rest);
  envelope.head_size = writer.size();
  std::memcpy(envelope.head, writer.at(), writer.size());
  return envelope;
}

}  // namespace bench::nghttp2_server
