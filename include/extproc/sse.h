#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "extproc/export.h"

/// Server-sent events (text/event-stream, the HTML Standard, 9.2), read from a body however it is
/// cut, and edited on their way.
///
///   sse::Editor events;
///   while (auto chunk = co_await body.read()) {
///     body.write(events.edit(chunk->bytes(), chunk->end_of_stream(), [](sse::Edit& edit) {
///       if (edit.event().type == "debug") edit.drop();
///     }));
///   }
///   body.write(events.edit("", true, …));  // what had no end
namespace extproc::sse {

/// One block of lines up to an empty one, or a part of it.
struct Event {
  enum class Kind : std::uint8_t {
    /// A whole block. One without `data`, such as a comment that keeps the connection open, is an
    /// event to nobody but us.
    whole,
    /// A piece of a block that is longer than the limit; the empty line ends the last of them.
    /// Nothing of it is read.
    piece,
    /// What stands behind the last empty line at the end of the stream. Clients ignore it.
    unfinished,
  };
  Kind kind = Kind::whole;
  /// The lines of `data:`, with '\n' between them; nothing where there is none. Not for a piece.
  std::optional<std::string_view> data{};
  /// Empty where it is not said: "message".
  std::string_view type{};
  /// Nothing where it is not said: the last event's. One with NUL is ignored, as clients do.
  std::optional<std::string_view> id{};
  std::optional<std::chrono::milliseconds> retry{};
  /// As it came, ends of lines included. All of them together are the stream, byte for byte: of a
  /// line end that was cut between CR and LF, the LF is the first byte of the next one, where it
  /// says nothing.
  std::string_view raw{};
};

struct Limits {
  /// Of a block, and so of what is kept between two chunks.
  std::size_t event_bytes = std::size_t{1} << 20;
};

/// Cuts a stream into its events. Keeps only the block that has not ended: a whole one that lies
/// within a chunk is not copied. One body's; not for several threads at once.
class EXTPROC_API Parser {
 public:
  explicit Parser(Limits limits = {}) : most_(std::max<std::size_t>(limits.event_bytes, 1)) {}

  /// The next bytes, to be asked for events until there are none. They must live as long as that.
  void push(std::string_view chunk);
  /// Nothing follows.
  void finish() { finished_ = true; }
  /// The next event, or null. It and its views are valid until the next call of the parser, and as
  /// long as the chunk.
  const Event* next();

 private:
  bool find_end(bool& whole);
  void read_block(std::string_view block);
  void read_line(std::string_view line);

  std::size_t most_;
  std::string_view rest_;
  std::string kept_;     // the begin of a block, from chunks before
  std::string backlog_;  // chunks that were not asked for when the next came
  std::string spare_;    // what the event that was given last refers to
  std::string joined_;   // data of several lines
  Event event_;
  std::size_t scanned_ = 0;  // of rest_: it has no end of a block
  bool at_line_start_ = true;
  bool after_cr_ = false;
  bool at_stream_start_ = true;
  bool in_long_block_ = false;
  bool has_cr_ = false;
  bool finished_ = false;
};

/// What an event is written from.
struct NewEvent {
  std::string_view data{};
  /// Left out where empty.
  std::string_view type{};
  std::string_view id{};
};
/// The event as text, with an empty line behind it; data of several lines, ended as they may be,
/// becomes as many. What is behind an end of line in type or id is left out.
EXTPROC_API std::string to_text(const NewEvent& event);

/// What is to become of one event. Left alone, it goes on as it came.
class EXTPROC_API Edit {
 public:
  const Event& event() const { return event_; }

  /// It goes no further.
  void drop() { kept_ = false; }
  /// Other data, and the rest of it as it was: type, id, retry. Of a whole event only.
  void set_data(std::string_view data);
  /// Another event in front of it, in the order of the calls, or behind it.
  void insert_before(const NewEvent& event) { out_ += to_text(event); }
  void insert_after(const NewEvent& event) { behind_ += to_text(event); }

 private:
  friend class Editor;

  Edit(const Event& event, std::string& out) : event_(event), out_(out) {}
  void end();

  const Event& event_;
  std::string& out_;
  std::string changed_, behind_;
  bool kept_ = true;
};

/// Edits a stream chunk by chunk, in handlers over whole bodies and over chunks alike. One body's;
/// not for several threads at once.
class EXTPROC_API Editor {
 public:
  explicit Editor(Limits limits = {}) : parser_(limits) {}

  /// What the chunk becomes, valid until the next call. `on_event(Edit&)` is called for each event
  /// that ends in it, and where `last` for what is unfinished. A chunk whose events all stay is
  /// sent on without the block at its end that is not whole; that follows with its end.
  template <class OnEvent>
  std::string_view edit(std::string_view chunk, bool last, OnEvent&& on_event) {
    out_.clear();
    parser_.push(chunk);
    if (last) parser_.finish();
    while (const Event* event = parser_.next()) {
      Edit edit(*event, out_);
      on_event(edit);
      edit.end();
    }
    return out_;
  }

 private:
  Parser parser_;
  std::string out_;
};

}  // namespace extproc::sse
