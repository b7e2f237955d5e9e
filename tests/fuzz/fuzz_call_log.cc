// Names, values and paths of any bytes in a line of a log of calls: JSON to Boost.JSON, within its
// limit, without what is redacted.

#include <boost/json/src.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "call_log/json_line.h"
#include "call_log/redacted_names.h"
#include "check.h"
#include "input.h"

namespace extproc::fuzz {
namespace {

constexpr std::string_view kSecret = "~secret~";

void write_line(Input input, bool has_secret) {
  const std::size_t most = 64U + 8U * input.byte();
  const call_log::RedactedNames names({"token"});
  std::string out;
  call_log::JsonLine line(out, most);
  bool has_object = false;
  while (!input.empty()) {
    const std::uint8_t what = input.byte();
    const std::string_view name = input.take(what % 16U);
    const std::string_view value = input.take(input.byte());
    switch (what / 16U) {
      case 0:
        names.put_path(line, name, value, value.size() / 2);
        break;
      case 1:
        names.put_path(line, name, std::string("?token=").append(kSecret).append("&").append(value),
                       most);
        break;
      case 2:
        line.number(name, static_cast<double>(value.size()) / 3);
        break;
      case 3:
        line.boolean(name, true);
        break;
      case 4:
        if (!has_object) has_object = line.begin_object(name);
        break;
      case 5:
        if (has_object) line.end_object();
        has_object = false;
        break;
      default:
        line.text(name, value);
    }
  }
  if (has_object) line.end_object();
  line.finish();
  check(out.size() <= most, "a line has its limit");
  check(out.find('\n') == out.size() - 1, "a line is one");
  check(has_secret || out.find(kSecret) == out.npos, "what is redacted is not told");
  boost::system::error_code error;
  boost::json::parse(out, error);
  check(!error, "a line is JSON");
}

}  // namespace
}  // namespace extproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const bool has_secret = bytes.find(extproc::fuzz::kSecret) != bytes.npos;
  extproc::fuzz::write_line({data, size}, has_secret);
  return 0;
}
