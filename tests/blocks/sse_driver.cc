// Prints the events of each case, as a client would be given them: type, data and the last id.
#include "extproc/sse.h"
#include "pieces.h"

int main() {
  using extproc::blocks_test::hex;
  while (const auto pieces = extproc::blocks_test::read_case()) {
    extproc::sse::Parser parser;
    std::string id;
    std::size_t bytes = 0;
    const auto take = [&] {
      while (const auto* event = parser.next()) {
        bytes += event->raw.size();
        if (event->kind != extproc::sse::Event::Kind::whole) continue;
        if (event->id) id = *event->id;
        if (!event->data) continue;
        std::cout << hex(event->type.empty() ? "message" : event->type) << ',' << hex(*event->data)
                  << ',' << hex(id) << ' ';
      }
    };
    for (const std::string& piece : *pieces) {
      parser.push(piece);
      take();
    }
    parser.finish();
    take();
    std::cout << bytes << '\n';
  }
}
