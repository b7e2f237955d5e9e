// Bytes as a stream of events, in pieces whose sizes they say, against the same in one piece.

#include <cstdint>
#include <string>
#include <vector>

#include "check.h"
#include "extproc/sse.h"
#include "input.h"

namespace extproc::fuzz {
namespace {

struct Result {
  std::string events, raw;
};

void take(sse::Parser& parser, Result& result) {
  while (const sse::Event* event = parser.next()) {
    result.raw += event->raw;
    if (event->kind == sse::Event::Kind::piece || !(event->data || event->id || event->retry)) {
      continue;
    }
    // Lengths tell where one field ends and the next begins.
    for (const std::string_view field :
         {event->type, event->data.value_or("-"), event->id.value_or("-")}) {
      result.events.append(std::to_string(field.size())).append(":").append(field);
    }
    if (event->retry) result.events.append(std::to_string(event->retry->count()));
    result.events += event->kind == sse::Event::Kind::whole ? '\n' : '?';
  }
}

void read_events(Input input) {
  const std::size_t size = input.byte() + 1U;
  const bool bounded = size % 2 == 0;
  const sse::Limits limits{.event_bytes = bounded ? 64U : 1U << 20};
  sse::Parser in_pieces(limits), whole(limits);
  Result pieces, once;
  std::string all;
  while (!input.empty()) {
    const std::string piece(input.take(size));
    all += piece;
    in_pieces.push(piece);
    take(in_pieces, pieces);
  }
  in_pieces.finish();
  take(in_pieces, pieces);
  whole.push(all);
  whole.finish();
  take(whole, once);
  check(pieces.raw == all && once.raw == all, "no byte is lost");
  check(bounded || pieces.events == once.events, "a cut changes nothing");

  sse::Editor editor;
  const auto edit = [](sse::Edit& one) {
    if (one.event().data) one.set_data(*one.event().data);
  };
  const std::string edited(editor.edit(all, true, edit));
  sse::Editor again;
  check(again.edit(edited, true, edit) == edited, "what was written is read back");
}

}  // namespace
}  // namespace extproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  extproc::fuzz::read_events({data, size});
  return 0;
}
