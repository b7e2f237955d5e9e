// What the codec reads from bytes that no serialiser makes, against what libprotobuf reads from
// them: malformed ones, and odd ones that are to be read all the same.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "wire/expect_request.h"
#include "wire/oracle.h"

namespace extproc::wire {
namespace {

std::string varint(std::uint64_t value, std::size_t bytes = 0) {
  std::string out;
  for (; value >= 0x80 || out.size() + 1 < bytes; value >>= 7)
    out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}

std::string tag(std::uint64_t field, unsigned type) { return varint(field << 3 | type); }
std::string delimited(unsigned field, const std::string& bytes) {
  return tag(field, 2) + varint(bytes.size()) + bytes;
}

/// A message of ours within those around it.
struct Place {
  const char* name;
  std::vector<unsigned> path;
  std::string around(std::string bytes) const {
    for (auto field = path.rbegin(); field != path.rend(); ++field)
      bytes = delimited(*field, bytes);
    return bytes;
  }
};

/// The first of the places, in which field 2, or a field 2 within, are attributes; and those in
/// which there are texts, which libprotobuf refuses where they are no UTF-8, as HTTP's may be.
constexpr std::size_t kPlacesWithAttributes = 3;
constexpr std::size_t kPlacesWithTexts = 7;
const std::vector<Place> kPlaces{{"ProcessingRequest", {}},
                                 {"HttpHeaders", {2}},
                                 {"HttpHeaders of the response", {3}},
                                 {"HeaderMap", {2, 1}},
                                 {"HeaderValue", {2, 1, 1}},
                                 {"HttpTrailers", {6}},
                                 {"HeaderMap of trailers", {7, 1}},
                                 {"HttpBody", {4}},
                                 {"ProtocolConfiguration", {11}},
                                 {"FlowControlInit", {12}},
                                 {"ClientWindowUpdate", {13}}};

/// Contents for a field of each type, good and bad.
std::vector<std::string> contents_of(unsigned type) {
  switch (type) {
    case 0:
      return {varint(0),
              varint(1),
              varint(0, 2),
              varint(0, 10),
              varint(1, 10),
              varint(1, 11),
              varint(0, 11),
              varint(~std::uint64_t{0}),
              std::string(9, '\xff') + "\x7f",
              varint(std::uint64_t{1} << 32),
              "\x80",
              ""};
    case 1:
      return {std::string(8, '\1'), std::string(7, '\1'), ""};
    case 2:
      return {varint(0),
              varint(0, 5),
              varint(0, 6),
              varint(0, 10),
              "\1" + std::string(1, '\0'),
              varint(2) + tag(1, 0) + "\1",
              varint(2, 5) + tag(1, 0) + "\1",
              varint(2, 6) + tag(1, 0) + "\1",
              varint(3) + tag(1, 0) + "\1",
              varint(std::uint64_t{1} << 31),
              varint(std::uint64_t{1} << 32),
              varint((std::uint64_t{1} << 32) + 2) + tag(1, 0) + "\1",
              varint(std::uint64_t{1} << 35),
              varint(~std::uint64_t{0}),
              "\x80",
              ""};
    case 3:
      return {"", tag(1, 0) + "\1"};
    case 5:
      return {std::string(4, '\1'), std::string(3, '\1'), ""};
    default:
      return {"", "\1"};
  }
}

TEST(OracleRequests, EachTypeAtEachField) {
  const std::uint64_t fields[] = {0,
                                  1,
                                  2,
                                  3,
                                  4,
                                  5,
                                  6,
                                  7,
                                  8,
                                  9,
                                  10,
                                  11,
                                  12,
                                  13,
                                  14,
                                  15,
                                  16,
                                  99,
                                  18'999,
                                  19'000,
                                  19'999,
                                  20'000,
                                  (1U << 29) - 1,
                                  1U << 29,
                                  (1U << 29) + 1};
  // Behind each, a field that is to be read when it was skipped.
  const std::string behind = tag(1, 2) + varint(0);
  for (const Place& place : kPlaces) {
    for (const std::uint64_t field : fields) {
      const bool is_read_later =
          (place.path.empty() && (field == 8 || field == 9)) ||
          (std::string_view(place.name).starts_with("HttpHeaders") && field == 2);
      for (unsigned type = 0; type < 8; ++type) {
        if (is_read_later && type == 2) continue;
        for (const std::string& content : contents_of(type)) {
          for (const std::string& end :
               {std::string(), behind, tag(field, 4), tag(field, 4) + behind}) {
            const std::string bytes = tag(field, type) + content + end;
            SCOPED_TRACE(::testing::Message() << place.name << ", field " << field << ", type "
                                              << type << ": " << oracle::literal(bytes));
            expect_read_as_libprotobuf_does(place.around(bytes));
            if (HasFailure()) return;
          }
        }
      }
    }
  }
}

TEST(OracleRequests, TagsOfEachLength) {
  for (const Place& place : kPlaces) {
    for (const std::uint32_t known : {1U << 3 | 2U, 2U << 3 | 2U, 15U << 3 | 0U, 4U << 3 | 2U}) {
      for (std::size_t size = 1; size <= 11; ++size) {
        for (const std::uint64_t beyond : {std::uint64_t{0}, std::uint64_t{1} << 32}) {
          const std::string bytes = varint(known | beyond, size) + std::string(1, '\0');
          SCOPED_TRACE(::testing::Message() << place.name << ": " << oracle::literal(bytes));
          expect_read_as_libprotobuf_does(place.around(bytes));
        }
      }
    }
  }
}

TEST(OracleRequests, Groups) {
  const auto group = [](unsigned field, const std::string& inside) {
    return tag(field, 3) + inside + tag(field, 4);
  };
  const std::string other = delimited(4, delimited(1, "body"));
  const std::string cases[] = {
      group(14, "") + other,
      group(4, tag(1, 0) + "\1") + other,
      group(14, group(14, "") + group(2, delimited(7, "x"))) + other,
      group(14, group(15, "")) + tag(14, 4),
      tag(14, 3) + other,
      tag(14, 4) + other,
      tag(14, 3) + tag(15, 4) + other,
      tag(14, 3) + tag(15, 3) + tag(14, 4) + tag(15, 4) + other,
      group(14, tag(0, 0) + "\1"),
      group(14, std::string(1, '\0')),
      group(14, tag(1, 6)),
      group(14, tag(1, 2) + varint(5) + "x"),
      group(14, tag(1, 2) + varint(std::uint64_t{1} << 32)),
      // Its end outside of the message that it began in.
      delimited(4, tag(14, 3)) + tag(14, 4),
  };
  for (const Place& place : kPlaces) {
    for (const std::string& bytes : cases) {
      SCOPED_TRACE(::testing::Message() << place.name << ": " << oracle::literal(bytes));
      expect_read_as_libprotobuf_does(place.around(bytes));
    }
    for (int depth = 90; depth <= 110; ++depth) {
      std::string nested;
      for (int i = 0; i < depth; ++i) nested = group(14, nested);
      SCOPED_TRACE(::testing::Message() << place.name << ", " << depth << " groups");
      expect_read_as_libprotobuf_does(place.around(nested));
    }
  }
}

TEST(OracleRequests, AnyShortBytes) {
  std::mt19937_64 random(1);
  const std::string likely(
      "\x00\x01\x02\x08\x0a\x0b\x0c\x10\x12\x1a\x22\x32\x5a\x62\x6a\x7f\x80\xff", 18);
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& byte : bytes) byte = likely[random() % likely.size()];
    const std::size_t chosen_place = random() % kPlaces.size();
    const Place& place = kPlaces[chosen_place];
    if (chosen_place < kPlacesWithAttributes && bytes.find('\x12') != std::string::npos) continue;
    if (chosen_place < kPlacesWithTexts && bytes.find_first_of("\x80\xff") != std::string::npos)
      continue;
    SCOPED_TRACE(::testing::Message() << place.name << ": " << oracle::literal(bytes));
    expect_read_as_libprotobuf_does(place.around(bytes));
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace extproc::wire
