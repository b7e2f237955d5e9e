// Texts of events in pieces that the bytes say, against the same text redacted in one piece; and
// the bytes as a stream of events.

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "check.h"
#include "extproc/event_redact.h"
#include "input.h"

namespace extproc::fuzz {
namespace {

const Redaction& secrets() {
  static const Redaction all({{.literal = "hunter2"},
                              {.literal = "h\xc3\xa9"},
                              {.pattern = "n[te]{2,4}", .replacement = "[key]"}},
                             {.match_bytes = 16});
  return all;
}
const EventTexts& texts() {
  static const EventTexts all;
  return all;
}

std::string redacted(std::string_view events) {
  EventRedactor redactor(secrets(), texts());
  sse::Editor editor;
  std::string out(editor.edit(events, true, [&](sse::Edit& edit) { redactor.redact(edit); }));
  return out.append(redactor.finish());
}

/// What a client makes of it.
std::string text_of(std::string_view events) {
  static const JsonPaths content({"/choices/*/delta/content"});
  sse::Parser parser;
  parser.push(events);
  std::string text;
  while (const sse::Event* const event = parser.next()) {
    if (!event->data) continue;
    JsonReader reader(content);
    reader.push(*event->data);
    reader.finish();
    while (const JsonField* const field = reader.next()) text += field->text().value_or("");
  }
  return text;
}

void redact_pieces(Input input) {
  constexpr std::string_view kLetters[] = {"h", "u", "n",         "t",  "e",
                                           "r", "2", "h\xc3\xa9", "\"", " "};
  std::string all;
  std::string events;
  while (!input.empty()) {
    std::string piece;
    for (const char c : input.take(input.byte() % 12U))
      piece += kLetters[static_cast<unsigned char>(c) % std::size(kLetters)];
    all += piece;
    events += sse::to_text(
        {.data = R"({"choices":[{"index":0,"delta":{"content":)" + json_quoted(piece) + "}}]}"});
  }
  Redactor whole(secrets());
  check(text_of(redacted(events)) == whole.redact(all, true), "a cut changes nothing");
}

}  // namespace
}  // namespace extproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace extproc::fuzz;
  redact_pieces({data, size});
  redacted({reinterpret_cast<const char*>(data), size});
  return 0;
}
