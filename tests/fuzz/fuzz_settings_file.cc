// Bytes as a settings file: it says something, or is refused with the place.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.h"
#include "extproc/error.h"
#include "settings_file/combine.h"
#include "settings_file/reader.h"
#include "settings_file/tree.h"

namespace extproc::fuzz {
namespace {

using settings_file::Errors;

/// As a processor would that knows every name.
void read_all(const OwnSettings& settings) {
  for (const std::string& name : settings.names()) {
    try {
      read_all(settings.get<OwnSettings>(name));
    } catch (const Error&) {
    }
    try {
      settings.find<std::vector<std::chrono::milliseconds>>(name);
      settings.find<ByteSize>(name);
    } catch (const Error&) {
    }
  }
}

void read_file(std::string_view text) {
  Errors errors("a.yaml");
  try {
    const auto root = settings_file::read_tree(text, errors);
    check(root.same_as(root) || !errors.empty(), "a tree is the same as itself");
    const auto plan = settings_file::read_plan(root, errors);
    errors.throw_if_any();
    for (const auto& service : settings_file::combine(plan, {})) {
      static_cast<void>(service.common.settings());
      for (const auto& processor : service.processors) {
        const OwnSettings own = settings_file::own_settings("a.yaml", processor);
        read_all(own);
        own.check_all_read();
      }
    }
  } catch (const Error& error) {
    const std::string_view why = error.what();
    check(why.starts_with("a.yaml"), "what is wrong has a place");
    check(why.size() < 2 * text.size() + 20'000, "what is told of it is bounded");
  }
}

}  // namespace
}  // namespace extproc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  extproc::fuzz::read_file({reinterpret_cast<const char*>(data), size});
  return 0;
}
