// read: prints the events of each case, as a client would be given them: type, data and the last
// id. write: prints the text of an event, which a case's three pieces are.
#include "extproc/sse.h"
#include "pieces.h"

namespace {

namespace sse = extproc::sse;
using extproc::blocks_test::hex;

void read(const std::vector<std::string>& pieces) {
  sse::Parser parser;
  std::string id;
  std::size_t bytes = 0;
  const auto take = [&] {
    while (const auto* event = parser.next()) {
      bytes += event->raw.size();
      if (event->kind != sse::Event::Kind::whole) continue;
      if (event->id) id = *event->id;
      if (!event->data) continue;
      std::cout << hex(event->type.empty() ? "message" : event->type) << ',' << hex(*event->data)
                << ',' << hex(id) << ' ';
    }
  };
  for (const std::string& piece : pieces) {
    parser.push(piece);
    take();
  }
  parser.finish();
  take();
  std::cout << bytes << '\n';
}

void write(const std::vector<std::string>& pieces) {
  const sse::NewEvent event{.data = pieces.at(1), .type = pieces.at(0), .id = pieces.at(2)};
  std::cout << hex(sse::to_text(event)) << '\n';
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const bool reads = std::string_view(arguments[1]) == "read";
  while (const auto pieces = extproc::blocks_test::read_case()) {
    if (reads) {
      read(*pieces);
    } else {
      write(*pieces);
    }
  }
}
