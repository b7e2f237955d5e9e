#include "extproc/event_redact.h"

#include <algorithm>
#include <array>
#include <utility>

#include "extproc/error.h"

namespace extproc {
namespace {

constexpr std::size_t kMostTexts = 16;
constexpr std::size_t kMostKey = 128;
constexpr std::size_t kMostEvent = std::size_t{64} << 10;
constexpr JsonLimits kLimits{.value_bytes = kMostEvent};

std::vector<std::string> together(const EventTextSettings& settings) {
  if (settings.texts.empty()) throw Error("events without texts: nothing would be redacted");
  std::vector<std::string> all = settings.texts;
  all.insert(all.end(), settings.keys.begin(), settings.keys.end());
  all.insert(all.end(), settings.ends.begin(), settings.ends.end());
  return all;
}

/// How many bytes at the end are the begin of a character.
std::size_t unfinished_bytes(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(text.size(), 3); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0U) == 0x80) continue;
    const std::size_t size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return size > back ? back : 0;
  }
  return 0;
}

}  // namespace

EventTexts::EventTexts(const EventTextSettings& settings)
    : texts_(settings.texts.size()), keys_(settings.keys.size()), paths_(together(settings)) {}

EventRedactor::Look EventRedactor::look_at(std::string_view data) const {
  Look look;
  JsonReader reader(texts_.paths_, kLimits);
  reader.push(data);
  reader.finish();
  while (const JsonField* const field = reader.next()) {
    if (texts_.is_text(field->path)) {
      look.has_text = true;
    } else if (texts_.is_key(field->path)) {
      if (look.key.size() < kMostKey) look.key.append(field->raw.substr(0, 32)).append(1, ' ');
    } else if (field->kind != JsonKind::null) {
      look.ends = true;
    }
  }
  if (reader.error()) return {};
  return look;
}

void EventRedactor::redact(sse::Edit& edit) {
  const sse::Event& event = edit.event();
  if (event.kind != sse::Event::Kind::whole || !event.data || event.type == "ping") return;
  const Look look = look_at(*event.data);
  if (look.has_text) redact_texts(edit, look);
  if (look.has_text && !look.ends) return;
  end_those(look.ends ? &look.key : nullptr, [&edit](std::string_view data, std::string_view type) {
    edit.insert_before({.data = data, .type = type});
  });
}

void EventRedactor::redact_texts(sse::Edit& edit, const Look& look) {
  const sse::Event& event = edit.event();
  const bool last = look.ends || event.data->size() > kMostEvent;
  bool changes = false;
  std::size_t number = 0;
  std::array<std::size_t, 64> places{};
  JsonEditor editor(texts_.paths_, kLimits);
  const std::string_view edited = editor.edit(*event.data, true, [&](JsonEdit& field) {
    if (!texts_.is_text(field.path())) return;
    const std::size_t own_number = number++;
    const Place place{field.path(), places[field.path()]++};
    const auto text = field.field().text();
    if (!text) return;
    Text* const open = find(place, look.key);
    std::string becomes;
    if (open == nullptr) {
      becomes = redact_once(*text);
    } else {
      becomes = advance(*open, *text, last);
      open->event.clear();
      if (open->redactor.waiting() != 0 || !open->rest.empty()) {
        open->event = *event.data;
        open->type = event.type;
        open->number = own_number;
      }
      if (last) open_.remove_if([open](const Text& each) { return &each == open; });
    }
    if (becomes == *text) return;
    field.set_string(becomes);
    changes = true;
  });
  if (changes) edit.set_data(edited);
}

std::string_view EventRedactor::finish() {
  out_.clear();
  end_those(nullptr, [this](std::string_view data, std::string_view type) {
    out_ += sse::to_text({.data = data, .type = type});
  });
  return out_;
}

EventRedactor::Text* EventRedactor::find(Place place, const std::string& key) {
  const auto known = std::ranges::find_if(
      open_, [&](const Text& text) { return text.place == place && text.key == key; });
  if (known != open_.end()) return &*known;
  if (open_.size() >= kMostTexts) return nullptr;
  return &open_.emplace_back(Text{place, key, Redactor(redaction_)});
}

std::string EventRedactor::advance(Text& text, std::string_view more, bool last) {
  const std::uint64_t before = text.redactor.found();
  std::string out = std::exchange(text.rest, {});
  out += text.redactor.redact(more, last);
  found_ += text.redactor.found() - before;
  if (last) return out;
  const std::size_t whole = out.size() - unfinished_bytes(out);
  text.rest = out.substr(whole);
  out.resize(whole);
  return out;
}

std::string EventRedactor::redact_once(std::string_view text) {
  Redactor redactor(redaction_);
  std::string out(redactor.redact(text, true));
  found_ += redactor.found();
  return out;
}

std::string EventRedactor::event_with(const Text& text, std::string_view last) const {
  std::size_t number = 0;
  JsonEditor editor(texts_.paths_, kLimits);
  return std::string(editor.edit(text.event, true, [&](JsonEdit& field) {
    if (!texts_.is_text(field.path())) return;
    const bool is_it = number++ == text.number;
    if (field.field().kind == JsonKind::string) field.set_string(is_it ? last : "");
  }));
}

template <class Insert>
void EventRedactor::end_those(const std::string* key, const Insert& insert) {
  const auto ends = [key](const Text& text) { return key == nullptr || text.key == *key; };
  for (Text& text : open_) {
    if (text.event.empty() || !ends(text)) continue;
    const std::string last = advance(text, "", true);
    insert(event_with(text, last), text.type);
  }
  open_.remove_if(ends);
}

}  // namespace extproc
