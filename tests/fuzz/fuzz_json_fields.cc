// Bytes as JSON, in pieces whose sizes they say: against the same in one piece, and against
// Boost.JSON.

#include <boost/json/src.hpp>
#include <cstdint>
#include <string>

#include "check.h"
#include "extproc/json_fields.h"
#include "input.h"

namespace extproc::fuzz {
namespace {

const JsonPaths& paths() {
  static const JsonPaths paths({"/a", "/b/*/c", "/model", "/b/0/d"});
  return paths;
}

struct Result {
  std::string fields, out;
  std::optional<std::string> error;
};

void edit(Result& result, JsonEditor& editor, std::string_view piece, bool last) {
  result.out += editor.edit(piece, last, [&](JsonEdit& field) {
    result.fields.append(std::to_string(field.path())).append(field.field().raw).append("\n");
    if (const auto text = field.field().text()) field.set_string(*text);
  });
  result.error = editor.error();
}

void read_json(Input input) {
  const std::size_t size = input.byte() + 1U;
  const JsonLimits limits{.value_bytes = size % 2 == 0 ? 8U : 1U << 16, .depth = 32};
  JsonEditor in_pieces(paths(), limits), whole(paths(), limits);
  Result pieces, once;
  std::string all;
  while (!input.empty()) {
    const std::string piece(input.take(size));
    all += piece;
    edit(pieces, in_pieces, piece, false);
  }
  edit(pieces, in_pieces, "", true);
  edit(once, whole, all, true);
  check(pieces.error == once.error, "a cut changes nothing");
  // That a field is too long is known before what is wrong behind that.
  check(once.error || pieces.fields == once.fields, "nor does it the fields");
  check(pieces.out == once.out, "nor does it what is written");

  boost::system::error_code error;
  boost::json::parse(all, error);
  if (error == boost::json::error::exponent_overflow) return;
  check(once.error.has_value() == error.failed(), "it is JSON to both or to none");
  if (error) return;
  // As text: 0e400 is no number to Boost.JSON, and no such is equal to itself.
  check(serialize(boost::json::parse(once.out)) == serialize(boost::json::parse(all)),
        "the same was written");
}

}  // namespace
}  // namespace extproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  extproc::fuzz::read_json({data, size});
  return 0;
}
