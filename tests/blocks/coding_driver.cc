// decode <coding>: prints what each case becomes, or why not. encode <coding>: prints each piece,
// flushed, and the end.
#include "extproc/coding.h"
#include "pieces.h"

namespace {

namespace coding = extproc::coding;
using extproc::blocks_test::hex;

void decode(coding::Coding one, const std::vector<std::string>& pieces) {
  coding::Decoder decoder(one);
  std::string out;
  try {
    for (const std::string& piece : pieces) decoder.decode(piece, out);
    decoder.finish();
    std::cout << hex(out) << '\n';
  } catch (const coding::CodingError& error) {
    std::cout << '!' << error.what() << '\n';
  }
}

void encode(coding::Coding one, const std::vector<std::string>& pieces) {
  coding::Encoder encoder(one);
  std::string out;
  for (const std::string& piece : pieces) {
    encoder.encode(piece, coding::Flush::now, out);
    std::cout << hex(out) << ' ';
    out.clear();
  }
  encoder.encode({}, coding::Flush::end, out);
  std::cout << hex(out) << '\n';
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const auto one = coding::coding_of(arguments[2]);
  const bool decodes = std::string_view(arguments[1]) == "decode";
  while (const auto pieces = extproc::blocks_test::read_case()) {
    if (decodes) {
      decode(one.value(), *pieces);
    } else {
      encode(one.value(), *pieces);
    }
  }
}
