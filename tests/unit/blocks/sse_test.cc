// Server-sent events: the examples of the HTML Standard, and every cut against the stream in one
// piece.
#include "extproc/sse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace extproc::sse {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Optional;

/// An event that outlives its views.
struct Seen {
  Event::Kind kind;
  std::optional<std::string> data;
  std::string type;
  std::optional<std::string> id;
  std::optional<std::chrono::milliseconds> retry;
  std::string raw;
};

std::vector<Seen> events_of(const std::vector<std::string_view>& chunks, Limits limits = {}) {
  Parser parser(limits);
  std::vector<Seen> seen;
  const auto drain = [&] {
    while (const Event* event = parser.next()) {
      seen.push_back({event->kind,
                      event->data ? std::optional(std::string(*event->data)) : std::nullopt,
                      std::string(event->type),
                      event->id ? std::optional(std::string(*event->id)) : std::nullopt,
                      event->retry, std::string(event->raw)});
    }
  };
  for (const std::string_view chunk : chunks) {
    // As the server's buffers do it, what was delivered goes away behind it.
    const std::string gone(chunk);
    parser.push(gone);
    drain();
  }
  parser.finish();
  drain();
  return seen;
}

/// What matters to a client; not where a cut CR LF ends up.
std::string dispatched(const std::vector<Seen>& seen) {
  std::string text;
  for (const Seen& one : seen) {
    if (one.kind == Event::Kind::piece || (!one.data && one.raw == "\n")) continue;
    text += one.kind == Event::Kind::whole ? "[" : "(";
    text += one.type + '|' + one.data.value_or("<none>") + '|' + one.id.value_or("<none>") + '|' +
            std::to_string(one.retry.value_or(std::chrono::milliseconds(-1)).count()) + "]";
  }
  return text;
}

std::string summary(const std::vector<Seen>& seen) {
  std::string raw;
  for (const Seen& one : seen) raw += one.raw;
  return dispatched(seen) + raw;
}

TEST(Sse, TheStandardsExamples) {
  auto seen = events_of({"data: YHOO\ndata: +2\ndata: 10\n\n"});
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_THAT(seen[0].data, Optional(Eq("YHOO\n+2\n10")));

  seen = events_of(
      {": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event"});
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[0].data, std::nullopt);
  EXPECT_EQ(seen[0].raw, ": test stream\n\n");
  EXPECT_THAT(seen[1].data, Optional(Eq("first event")));
  EXPECT_THAT(seen[1].id, Optional(Eq("1")));
  EXPECT_THAT(seen[2].id, Optional(Eq("")));
  EXPECT_EQ(seen[3].kind, Event::Kind::unfinished);
  EXPECT_THAT(seen[3].data, Optional(Eq(" third event")));

  seen = events_of({"data\n\ndata\ndata\n\ndata:"});
  EXPECT_THAT(seen[0].data, Optional(Eq("")));
  EXPECT_THAT(seen[1].data, Optional(Eq("\n")));
  EXPECT_EQ(seen[2].kind, Event::Kind::unfinished);
}

TEST(Sse, FieldsAreReadOrLeftOut) {
  auto seen =
      events_of({"\xef\xbb\xbf"
                 "event: a\nevent: b\nretry: 250\nretry: 2x\nid: x\nid: y" +
                 std::string(1, '\0') + "\nunknown: 1\n:c\ndata: d: e\n\n"});
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].type, "b");
  EXPECT_EQ(seen[0].retry, std::chrono::milliseconds(250));
  EXPECT_THAT(seen[0].id, Optional(Eq("x")));
  EXPECT_THAT(seen[0].data, Optional(Eq("d: e")));
  for (const std::string_view bad : {"", "-1", "1.5", "99999999999999999999", "+1"}) {
    EXPECT_EQ(events_of({"retry:" + std::string(bad) + "\n\n"})[0].retry, std::nullopt) << bad;
  }
}

TEST(Sse, EveryCutIsLikeNone) {
  for (const std::string_view end : {"\n", "\r\n", "\r"}) {
    std::string stream = "\xef\xbb\xbf";
    for (const std::string_view line :
         {"event: a", "data: 1", "data: 22", "", ": keep", "", "", "id: 7", "retry: 3", "data:x",
          "", "data: \xc3\xa9", "data", "", "data: rest"}) {
      stream.append(line).append(end);
    }
    const std::string expected = summary(events_of({stream}));
    EXPECT_THAT(expected, ::testing::HasSubstr("[a|1\n22|<none>|-1][|<none>"));
    EXPECT_THAT(expected, ::testing::EndsWith(stream));
    for (std::size_t a = 0; a <= stream.size(); ++a) {
      for (std::size_t b = a; b <= stream.size(); ++b) {
        const std::string_view all(stream);
        ASSERT_EQ(summary(events_of({all.substr(0, a), all.substr(a, b - a), all.substr(b)})),
                  expected)
            << a << ' ' << b;
      }
    }
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < stream.size(); ++i) {
      bytes.push_back(std::string_view(stream).substr(i, 1));
    }
    EXPECT_EQ(summary(events_of(bytes)), expected);
  }
}

TEST(Sse, AnEventIsGivenWithItsLastByte) {
  Parser parser;
  for (const std::string_view stream : {"data: 1\n\n", "data: 1\r\n\r", "\ndata: 1\r\r"}) {
    parser.push(stream);
    const Event* event = parser.next();
    ASSERT_NE(event, nullptr) << stream;
    EXPECT_THAT(event->data, Optional(Eq("1")));
    EXPECT_EQ(parser.next(), nullptr);
  }
}

TEST(Sse, WhatWasNotAskedForIsNotLost) {
  Parser parser;
  parser.push("data: 1\n\nda");
  parser.push("ta: 2\n\n");
  EXPECT_THAT(parser.next()->data, Optional(Eq("1")));
  EXPECT_THAT(parser.next()->data, Optional(Eq("2")));
  EXPECT_EQ(parser.next(), nullptr);
}

TEST(Sse, ALongEventComesInPieces) {
  const std::string stream = "data: 1\n\ndata: " + std::string(100, 'x') + "\n\ndata: 2\n\n";
  for (std::size_t size = 1; size < stream.size(); ++size) {
    std::vector<std::string_view> chunks;
    for (std::size_t at = 0; at < stream.size(); at += size) {
      chunks.push_back(std::string_view(stream).substr(at, size));
    }
    const auto seen = events_of(chunks, {.event_bytes = 40});
    std::string raw;
    for (const Seen& one : seen) {
      raw += one.raw;
      EXPECT_LE(one.raw.size(), 40U);
    }
    EXPECT_EQ(raw, stream);
    ASSERT_EQ(seen.size(), 5U) << size;
    EXPECT_THAT(seen[0].data, Optional(Eq("1")));
    for (int i : {1, 2, 3}) {
      EXPECT_EQ(seen[i].kind, Event::Kind::piece);
      EXPECT_EQ(seen[i].data, std::nullopt);
    }
    EXPECT_EQ(seen[4].kind, Event::Kind::whole);
    EXPECT_THAT(seen[4].data, Optional(Eq("2")));
  }
}

TEST(Sse, TextIsReadBackAsItWasMeant) {
  EXPECT_EQ(to_text({.data = "a\r\nb\rc\n", .type = "t\nx: y", .id = "1"}),
            "event: t\nid: 1\ndata: a\ndata: b\ndata: c\ndata: \n\n");
  EXPECT_EQ(to_text({}), "data: \n\n");
  const auto seen = events_of({to_text({.data = " a\n\nb", .type = "t", .id = "2"})});
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_THAT(seen[0].data, Optional(Eq(" a\n\nb")));
  EXPECT_EQ(seen[0].type, "t");
  EXPECT_THAT(seen[0].id, Optional(Eq("2")));
}

TEST(Sse, EventsAreEditedDroppedAndInserted) {
  const std::string stream =
      ":c\r\n\r\nevent: x\r\nid: 1\r\ndata: keep\r\n\r\ndata: drop\r\n\r\ndata: "
      "change\r\nid: 2\r\nretry: 5\r\n\r\ndata: [DONE]";
  const auto edit = [](Edit& one) {
    if (one.event().data == "drop") one.drop();
    if (one.event().data == "change") one.set_data("one\ntwo");
    if (one.event().data == "keep") one.insert_before({.data = "before"});
    if (one.event().kind == Event::Kind::unfinished) one.insert_after({.data = "after"});
  };
  const std::string expected =
      ":c\r\n\r\ndata: before\n\nevent: x\r\nid: 1\r\ndata: keep\r\n\r\n"
      "id: 2\nretry: 5\ndata: one\ndata: two\n\ndata: [DONE]data: after\n\n";
  EXPECT_EQ(Editor().edit(stream, true, edit), expected);
  // Between a CR and its LF, what is inserted comes in front of the LF, which says nothing there.
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Editor editor;
    std::string out(editor.edit(stream.substr(0, cut), false, edit));
    out += editor.edit(stream.substr(cut), true, edit);
    ASSERT_EQ(dispatched(events_of({out})), dispatched(events_of({expected}))) << cut << out;
    if (stream[cut] != '\n') {
      ASSERT_EQ(out, expected) << cut;
    }
  }
}

}  // namespace
}  // namespace extproc::sse
