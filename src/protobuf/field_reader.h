#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <protozero/exception.hpp>
#include <protozero/types.hpp>
#include <protozero/varint.hpp>
#include <string_view>

namespace extproc::protobuf {

/// Reads the fields of a message one by one, as protozero's pbf_reader, which takes some messages
/// that libprotobuf refuses, and refuses some that it takes. This one takes what libprotobuf takes:
/// unknown fields of every type, groups among them, and no length in more bytes than it may have.
/// What is no protobuf throws protozero's exceptions.
class FieldReader {
 public:
  /// `depth`: how many messages `message` is within.
  explicit FieldReader(std::string_view message, int depth = 0)
      : at_(message.data()), end_(at_ + message.size()), deeper_(kDepth - depth) {}

  /// Goes to the next field, of which exactly one of the functions below is to be called.
  bool next() {
    if (at_ == end_) return false;
    read_tag();
    if (!is_field(tag_)) throw protozero::unknown_pbf_wire_type_exception{};
    return true;
  }
  /// To the next one of this kind; others are skipped.
  bool next(unsigned field, protozero::pbf_wire_type type) {
    while (next()) {
      if (tag_ == protozero::tag_and_type(field, type)) return true;
      skip();
    }
    return false;
  }
  std::uint32_t tag_and_type() const { return tag_; }
  /// What is left, the current field's value being the first of it.
  std::string_view rest() const { return {at_, length()}; }

  // Fields whose type is varint.
  std::uint64_t get_varint() { return protozero::decode_varint(&at_, end_); }
  bool get_bool() { return get_varint() != 0; }
  std::int32_t get_enum() { return static_cast<std::int32_t>(get_varint()); }
  std::int64_t get_int64() { return static_cast<std::int64_t>(get_varint()); }

  /// Of a field whose type is fixed64.
  double get_double() {
    std::uint64_t bits = 0;
    // Little-endian, wherever this runs.
    for (const char byte : take(sizeof bits))
      bits = bits >> 8 | std::uint64_t{static_cast<unsigned char>(byte)} << 56;
    return std::bit_cast<double>(bits);
  }

  // Fields whose type is length_delimited.
  std::string_view get_bytes() { return take(read_length()); }
  FieldReader get_message() {
    if (deeper_ == 0) throw protozero::invalid_length_exception{};
    return FieldReader(get_bytes(), kDepth - deeper_ + 1);
  }

  /// Of any type.
  void skip() {
    switch (static_cast<protozero::pbf_wire_type>(tag_ & kTypeBits)) {
      case protozero::pbf_wire_type::varint:
        get_varint();
        break;
      case protozero::pbf_wire_type::length_delimited:
        get_bytes();
        break;
      case protozero::pbf_wire_type::fixed64:
        take(8);
        break;
      case protozero::pbf_wire_type::fixed32:
        take(4);
        break;
      default:
        skip_group();
    }
  }

 private:
  /// How many messages and groups may be within each other, as libprotobuf has it.
  static constexpr int kDepth = 100;
  static constexpr std::uint32_t kTypeBits = 7;
  static constexpr int kNumberShift = 3;
  static constexpr std::uint32_t kStartGroup = 3;
  static constexpr std::uint32_t kEndGroup = 4;
  static constexpr unsigned kOneByte = 0x80;
  static constexpr int kVarintBits = 7;

  /// Whether a field begins with it: not the end of a group, type or number that there are not.
  static bool is_field(std::uint32_t tag) {
    constexpr std::uint32_t kBegin = 1U << 0 | 1U << 1 | 1U << 2 | 1U << kStartGroup | 1U << 5;
    return tag >> kNumberShift != 0 && (kBegin >> (tag & kTypeBits) & 1) != 0;
  }
  /// Of varints that have five bytes at most, whatever they hold.
  std::uint64_t read_short_varint() {
    const auto byte = [this](int index) {
      return std::uint64_t{static_cast<unsigned char>(at_[index])};
    };
    if (at_ != end_ && byte(0) < kOneByte) {
      ++at_;
      return static_cast<unsigned char>(at_[-1]);
    }
    if (length() > 1 && byte(1) < kOneByte) {
      at_ += 2;
      return (byte(-2) & (kOneByte - 1)) | byte(-1) << kVarintBits;
    }
    return read_long_varint();
  }
  std::uint64_t read_long_varint();
  // As libprotobuf does it, bits beyond the thirty-second do not count.
  void read_tag() { tag_ = static_cast<std::uint32_t>(read_short_varint()); }
  std::size_t read_length() { return read_short_varint(); }
  std::string_view take(std::size_t size) {
    if (size > length()) throw protozero::end_of_buffer_exception{};
    const std::string_view taken(at_, size);
    at_ += size;
    return taken;
  }
  std::size_t length() const { return static_cast<std::size_t>(end_ - at_); }
  void skip_group();

  const char* at_;
  const char* end_;
  std::uint32_t tag_ = 0;
  /// How many messages and groups may be within this one.
  int deeper_;
};

}  // namespace extproc::protobuf
