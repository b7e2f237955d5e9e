#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/export.h"
#include "extproc/json_fields.h"
#include "extproc/redact.h"
#include "extproc/sse.h"

/// Secrets in a text that comes in pieces, each a field of an event's JSON, as models write: a
/// secret that is split over two events has JSON in its middle, so that Redactor alone does not
/// find it. Of the component extproc::redact, as redact.h.
///
///   static const EventTexts texts;   // once, for all requests
///   EventRedactor redactor(secrets, texts);
///   const auto mask = [&](sse::Edit& edit) { redactor.redact(edit); };
///   while (auto chunk = co_await body.read()) {
///     body.write(events.edit(chunk->bytes(), false, mask));
///   }
///   body.write(events.edit("", true, mask));
///   body.write(redactor.finish());
namespace extproc {

/// Where the texts are, as JSON Pointers of json_fields.h.
struct EventTextSettings {
  /// Each is a text of its own, from event to event.
  std::vector<std::string> texts{"/choices/*/delta/content", "/choices/*/delta/reasoning_content",
                                 "/choices/*/text",
                                 "/choices/*/delta/tool_calls/*/function/arguments",
                                 // Of messages.
                                 "/delta/text", "/delta/thinking", "/delta/partial_json"};
  /// Which of several texts in turn an event goes on with.
  std::vector<std::string> keys{"/choices/0/index", "/index"};
  /// Where one of them is there, and not null, the event is the last of its texts.
  std::vector<std::string> ends{"/choices/*/finish_reason"};
};

/// Set up once; safe from any thread.
class EXTPROC_API EventTexts {
 public:
  /// Throws Error where JsonPaths does, and where there are no texts.
  explicit EventTexts(const EventTextSettings& settings = {});

 private:
  friend class EventRedactor;

  bool is_text(std::size_t path) const { return path < texts_; }
  bool is_key(std::size_t path) const { return !is_text(path) && path < texts_ + keys_; }

  std::size_t texts_;
  std::size_t keys_;
  JsonPaths paths_;
};

/// Redacts the texts of one stream of events. What a secret can have begun in waits for the next
/// event, which is to have the rest of it; all else goes on with its event, at once. What still
/// waits when a text ends comes in an event as the last one was, in front of the event that ends
/// it. One with EventTextSettings::ends has it in itself where it has the text. Any other event
/// whose JSON has none of the texts, or that has no JSON, ends all of them; but none without data
/// does, nor of type "ping".
///
/// What is kept is bounded: an event and a match of RedactionLimits for each text, and 16 texts at
/// once. A text beyond them is redacted event by event, as are those of an event of more than
/// 64 KiB. Other fields are left alone, and so are pieces of events that sse::Limits cut: a
/// Redactor behind it finds what is whole in them. For one thread at a time.
class EXTPROC_API EventRedactor {
 public:
  /// Both live as long as this.
  EventRedactor(const Redaction& redaction, const EventTexts& texts)
      : redaction_(redaction), texts_(texts) {}

  /// For each event, in sse::Editor's `on_event`.
  void redact(sse::Edit& edit);
  /// What still waits, as events; behind the last. Valid until the next call.
  std::string_view finish();
  std::uint64_t found() const { return found_; }

 private:
  struct Place {
    std::size_t path;
    std::size_t number;  // among those of the path in its event
    bool operator==(const Place&) const = default;
  };
  struct Text {
    Place place;
    std::string key;
    Redactor redactor;
    std::string rest{};           // of a character that is not whole
    std::string event{}, type{};  // the last one, where something waits
    std::size_t number = 0;       // of the text among all of that event
  };
  /// What is known of an event before it is changed.
  struct Look {
    std::string key{};
    bool has_text = false;
    bool ends = false;
  };

  Look look_at(std::string_view data) const;
  void redact_texts(sse::Edit& edit, const Look& look);
  Text* find(Place place, const std::string& key);
  std::string advance(Text& text, std::string_view more, bool last);
  std::string redact_once(std::string_view text);
  std::string event_with(const Text& text, std::string_view last) const;
  /// Of one key, or all.
  template <class Insert>
  void end_those(const std::string* key, const Insert& insert);

  const Redaction& redaction_;
  const EventTexts& texts_;
  std::list<Text> open_;
  std::string out_;
  std::uint64_t found_ = 0;
};

}  // namespace extproc
