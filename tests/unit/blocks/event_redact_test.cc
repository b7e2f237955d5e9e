// Secrets in texts that events bring in pieces, in every way to split them.
#include "extproc/event_redact.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/error.h"

namespace extproc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string chat(std::string_view content, int choice = 0, std::string_view finish = "null") {
  return R"({"choices":[{"index":)" + std::to_string(choice) + R"(,"delta":{"content":)" +
         json_quoted(content) + R"(},"finish_reason":)" + std::string(finish) + "}]}";
}
std::string event(std::string_view data, std::string_view type = "") {
  return sse::to_text({.data = data, .type = type});
}

class EventRedact : public ::testing::Test {
 protected:
  /// The events, each after it has become what it becomes.
  std::vector<std::string> redact(const std::vector<std::string>& events) {
    EventRedactor redactor(secrets, texts);
    sse::Editor editor;
    std::vector<std::string> out;
    for (const std::string& each : events) {
      out.emplace_back(editor.edit(each, false, [&](sse::Edit& edit) { redactor.redact(edit); }));
    }
    out.emplace_back(editor.edit("", true, [&](sse::Edit& edit) { redactor.redact(edit); }));
    out.back() += redactor.finish();
    found = redactor.found();
    return out;
  }
  static std::string joined(const std::vector<std::string>& parts) {
    std::string all;
    for (const std::string& part : parts) all += part;
    return all;
  }
  /// What a client makes of a stream.
  static std::string text_of(const std::vector<std::string>& events, int choice = 0) {
    sse::Parser parser;
    const std::string all = joined(events);
    parser.push(all);
    std::string text;
    while (const sse::Event* each = parser.next()) {
      if (!each->data || *each->data == "[DONE]") continue;
      const auto json = boost::json::parse(*each->data);
      const auto& object = json.as_object();
      if (!object.contains("choices")) continue;
      const auto& first = object.at("choices").at(0).as_object();
      if (first.at("index").as_int64() != choice ||
          !first.at("delta").as_object().contains("content"))
        continue;
      text += std::string_view(first.at("delta").at("content").as_string());
    }
    return text;
  }

  const Redaction secrets{{{.literal = "hunter2"},
                           {.literal = "caf\xc3\xa9-\xe2\x82\xac"},
                           {.pattern = "sk-[a-z0-9]{8,20}", .replacement = "[key]"}}};
  const EventTexts texts;
  std::uint64_t found = 0;
};

TEST_F(EventRedact, FindsASecretInEveryCut) {
  const std::string_view text = "a hunter2, sk-abcdefgh1! caf\xc3\xa9-\xe2\x82\xac \"x\" hunter";
  const std::string masked = "a *******, [key]! ********* \"x\" hunter";
  for (std::size_t a = 0; a <= text.size(); ++a) {
    for (std::size_t b = a; b <= text.size(); ++b) {
      // Models send whole characters.
      if ((a < text.size() && (text[a] & 0xc0) == 0x80) ||
          (b < text.size() && (text[b] & 0xc0) == 0x80))
        continue;
      const auto out = redact({event(chat(text.substr(0, a))), event(chat(text.substr(a, b - a))),
                               event(chat(text.substr(b))), event("[DONE]")});
      ASSERT_EQ(text_of(out), masked) << a << ' ' << b;
      ASSERT_TRUE(joined(out).ends_with(event("[DONE]")));
      ASSERT_EQ(found, 3U);
    }
  }
}

TEST_F(EventRedact, HoldsNothingBackThatIsNoSecret) {
  const auto out = redact({event(chat("Hello ")), event(chat("world, hu")), event(chat("man"))});
  EXPECT_EQ(out[0], event(chat("Hello ")));
  EXPECT_EQ(out[1], event(chat("world, ")));
  EXPECT_EQ(out[2], event(chat("human")));
}

TEST_F(EventRedact, WhatWaitsComesBeforeTheEventThatEndsIt) {
  const std::string last = R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
  const auto out = redact({event(chat("hunt"), "chunk"), event(last), event("[DONE]")});
  EXPECT_EQ(out[0], event(chat(""), "chunk"));
  EXPECT_EQ(out[1], event(chat("hunt"), "chunk") + event(last));
  EXPECT_EQ(out[2], event("[DONE]"));
}

TEST_F(EventRedact, TheLastEventOfATextHasItInItself) {
  const auto out = redact({event(chat("hunt")), event(chat("er", 0, "\"stop\"")), event("[DONE]")});
  EXPECT_EQ(out[1], event(chat("hunter", 0, "\"stop\"")));
  EXPECT_EQ(out[2], event("[DONE]"));
}

TEST_F(EventRedact, WhatWaitsComesAtTheEnd) {
  const auto out = redact({event(chat("hunt"))});
  EXPECT_EQ(out.back(), event(chat("hunt")));
}

TEST_F(EventRedact, CommentsAndPingsEndNothing) {
  const auto out = redact({event(chat("hunt")), ": still there\n\n",
                           event(R"({"type":"ping"})", "ping"), event(chat("er2"))});
  EXPECT_EQ(text_of({out[0], out[3], out[4]}), "*******");
}

TEST_F(EventRedact, ChoicesAreTextsOfTheirOwn) {
  const auto out =
      redact({event(chat("hunt", 0)), event(chat("hun", 1)), event(chat("er2", 0)),
              event(chat("", 0, "\"stop\"")), event(chat("ter2", 1)), event("[DONE]")});
  EXPECT_EQ(text_of(out, 0), "*******");
  EXPECT_EQ(text_of(out, 1), "*******");
}

TEST_F(EventRedact, KnowsMessages) {
  const auto delta = [](std::string_view text) {
    return event(
        R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" +
            std::string(text) + "\"}}",
        "content_block_delta");
  };
  const std::string stop =
      event(R"({"type":"content_block_stop","index":0})", "content_block_stop");
  const auto out = redact({delta("my hun"), delta("ter2 and hunt"), stop});
  EXPECT_EQ(out[0], delta("my "));
  EXPECT_EQ(out[1], delta("******* and "));
  EXPECT_EQ(out[2], delta("hunt") + stop);
}

TEST_F(EventRedact, LeavesAloneWhatIsNoText) {
  const std::vector<std::string> events = {
      "data: no json\n\n", "data: {\"a\":\"hunter2\"}\n\n", "event: x\n\n",
      "data: {\"choices\":[{\"delta\":{\"content\":null}}]}\r\n\r\n", "data: {\"choices\":3}\n\n"};
  auto out = redact(events);
  EXPECT_EQ(out.back(), "");
  out.pop_back();
  EXPECT_EQ(out, events);
}

TEST_F(EventRedact, IsBounded) {
  // More texts at once than are kept, and an event that is not.
  std::vector<std::string> events;
  for (int i = 0; i < 100; ++i) events.push_back(event(chat("hunt", i)));
  events.push_back(event(chat("hunter2", 99)));
  EXPECT_THAT(joined(redact(events)), Not(HasSubstr("hunter2")));
  const std::string large(100'000, 'x');
  const auto out =
      redact({event(R"({"more":")" + large +
                    R"(","choices":[{"index":0,"delta":{"content":"a hunter2 hunt"}}]})"),
              event(chat("er2"))});
  EXPECT_THAT(out[0], HasSubstr(R"("a ******* hunt")"));
}

TEST(EventTexts, RefusesWhatCannotBe) {
  EXPECT_THROW(EventTexts({.texts = {}}), Error);
  EXPECT_THROW(EventTexts({.texts = {"no pointer"}}), Error);
}

}  // namespace
}  // namespace extproc
