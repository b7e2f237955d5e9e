#include "trace/span_encoder.h"

#include <cstring>
#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>

namespace extproc::trace {
namespace {

// Numbers of fields, as the messages are named in OTLP.
constexpr unsigned kSpansOfScope = 2;
namespace span {
constexpr unsigned kTraceId = 1;
constexpr unsigned kSpanId = 2;
constexpr unsigned kTraceState = 3;
constexpr unsigned kParent = 4;
constexpr unsigned kName = 5;
constexpr unsigned kKind = 6;
constexpr unsigned kStart = 7;
constexpr unsigned kEnd = 8;
constexpr unsigned kAttributes = 9;
constexpr unsigned kEvents = 11;
constexpr unsigned kStatus = 15;
constexpr unsigned kFlags = 16;
}  // namespace span
namespace event {
constexpr unsigned kTime = 1;
constexpr unsigned kName = 2;
constexpr unsigned kAttributes = 3;
}  // namespace event
namespace status {
constexpr unsigned kMessage = 2;
constexpr unsigned kCode = 3;
constexpr int kError = 2;
}  // namespace status
constexpr unsigned kKeyOfPair = 1;
constexpr unsigned kValueOfPair = 2;
constexpr unsigned kStringValue = 1;
constexpr unsigned kIntValue = 3;

/// Of Span.flags, above those of the trace.
constexpr std::uint32_t kRemoteIsKnown = 0x100;
constexpr std::uint32_t kIsRemote = 0x200;

constexpr std::size_t kTraceIdField = 2 + std::tuple_size_v<TraceContext::TraceId>;
constexpr std::size_t kSpanIdField = 2 + std::tuple_size_v<TraceContext::SpanId>;
constexpr std::size_t kTimeField = 1 + sizeof(std::uint64_t);
constexpr std::size_t kFlagsField = 2 + sizeof(std::uint32_t);

std::size_t varint_size(std::uint64_t value) {
  return static_cast<std::size_t>(protozero::length_of_varint(value));
}

std::size_t inner_size(const SpanParts& parts) {
  const std::size_t state = parts.context.tracestate.size();
  return kTraceIdField + kSpanIdField + (state == 0 ? 0 : 1 + varint_size(state) + state) +
         (parts.parent == nullptr ? 0 : kSpanIdField) + 2 * kTimeField + kFlagsField +
         parts.common.size() + parts.own.size() + parts.events.size();
}

char* put_tag(char* at, unsigned field, protozero::pbf_wire_type type) {
  return at + protozero::write_varint(at, field << 3 | static_cast<unsigned>(type));
}

char* put_bytes(char* at, const void* bytes, std::size_t size) {
  // Of nothing there may be no address either.
  if (size > 0) std::memcpy(at, bytes, size);
  return at + size;
}

char* put(char* at, std::string_view bytes) { return put_bytes(at, bytes.data(), bytes.size()); }

template <class Id>
char* put_id(char* at, unsigned field, const Id& id) {
  *at++ = static_cast<char>(field << 3 | 2);
  *at++ = static_cast<char>(id.size());
  return put_bytes(at, id.data(), id.size());
}

// Little-endian, wherever this runs.
template <class T>
char* put_fixed(char* at, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) *at++ = static_cast<char>(value >> (8 * i));
  return at;
}

char* put_time(char* at, unsigned field, std::uint64_t time) {
  *at++ = static_cast<char>(field << 3 | 1);
  return put_fixed(at, time);
}

template <class AddValue>
void add_attribute(protozero::pbf_writer& writer, unsigned field, std::string_view key,
                   AddValue add_value) {
  protozero::pbf_writer pair(writer, field);
  pair.add_string(kKeyOfPair, key.data(), key.size());
  protozero::pbf_writer value(pair, kValueOfPair);
  add_value(value);
}

/// How many bytes the character that `text` begins with has; 0 where that is no UTF-8.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Too long a form, half a pair of UTF-16, or beyond Unicode.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f))
    return 0;
  return size;
}

}  // namespace

std::string valid_text(std::string_view text, std::size_t most) {
  std::string valid;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view next = size == 0 ? "?" : text.substr(0, size);
    if (valid.size() + next.size() > most) break;
    valid += next;
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return valid;
}

void add_text(protozero::pbf_writer& writer, unsigned field, std::string_view key,
              std::string_view text, std::size_t most) {
  const std::string valid = valid_text(text, most);
  add_attribute(writer, field, key,
                [&](protozero::pbf_writer& value) { value.add_string(kStringValue, valid); });
}

SpanFields& SpanFields::name(std::string_view name) {
  protozero::pbf_writer(bytes_).add_string(span::kName, valid_text(name));
  return *this;
}

SpanFields& SpanFields::kind(SpanKind kind) {
  protozero::pbf_writer(bytes_).add_enum(span::kKind, static_cast<int>(kind));
  return *this;
}

SpanFields& SpanFields::attribute(std::string_view key, std::string_view value) {
  protozero::pbf_writer writer(bytes_);
  add_text(writer, span::kAttributes, key, value);
  return *this;
}

SpanFields& SpanFields::attribute(std::string_view key, std::int64_t value) {
  protozero::pbf_writer writer(bytes_);
  add_attribute(writer, span::kAttributes, key,
                [&](protozero::pbf_writer& any) { any.add_int64(kIntValue, value); });
  return *this;
}

SpanFields& SpanFields::event(std::uint64_t time, std::string_view name, std::string_view key,
                              std::string_view value) {
  protozero::pbf_writer writer(bytes_);
  protozero::pbf_writer its(writer, span::kEvents);
  its.add_fixed64(event::kTime, time);
  its.add_string(event::kName, name.data(), name.size());
  add_text(its, event::kAttributes, key, value);
  return *this;
}

SpanFields& SpanFields::error(std::string_view message) {
  protozero::pbf_writer writer(bytes_);
  protozero::pbf_writer its(writer, span::kStatus);
  if (!message.empty()) its.add_string(status::kMessage, valid_text(message));
  its.add_enum(status::kCode, status::kError);
  return *this;
}

std::size_t span_size(const SpanParts& parts) {
  const std::size_t inner = inner_size(parts);
  return 1 + varint_size(inner) + inner;
}

char* write_span(char* at, const SpanParts& parts) {
  const TraceContext& context = parts.context;
  at = put_tag(at, kSpansOfScope, protozero::pbf_wire_type::length_delimited);
  at += protozero::write_varint(at, inner_size(parts));
  at = put_id(at, span::kTraceId, context.trace_id);
  at = put_id(at, span::kSpanId, context.span_id);
  if (!context.tracestate.empty()) {
    at = put_tag(at, span::kTraceState, protozero::pbf_wire_type::length_delimited);
    at += protozero::write_varint(at, context.tracestate.size());
    at = put(at, context.tracestate);
  }
  if (parts.parent != nullptr) at = put_id(at, span::kParent, *parts.parent);
  at = put_time(at, span::kStart, parts.start);
  at = put_time(at, span::kEnd, parts.end);
  at = put_tag(at, span::kFlags, protozero::pbf_wire_type::fixed32);
  at = put_fixed(
      at, std::uint32_t{context.flags} | kRemoteIsKnown | (parts.parent_is_remote ? kIsRemote : 0));
  at = put(at, parts.common);
  at = put(at, parts.own);
  return put(at, parts.events);
}

}  // namespace extproc::trace
