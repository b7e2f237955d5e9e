#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "completeness/rows.h"
#include "extproc/service.h"

namespace extproc::completeness {

/// Which rows a processor acts out in which phase, one after another in the same answer.
using Acts = std::multimap<Phase, const Row*>;

/// How it is written.
enum class Style : std::uint8_t {
  class_,          ///< Processor, all of its members
  functions,       ///< Handlers, for the phases that it acts in
  async,           ///< AsyncProcessor, with a wait before each answer
  blocking,        ///< Handlers on a thread
  async_stream,    ///< AsyncProcessor, handlers over whole bodies
  function_stream  ///< Handlers, the same for the phases that it acts in
};
inline constexpr Style kStyles[] = {Style::class_,   Style::functions,    Style::async,
                                    Style::blocking, Style::async_stream, Style::function_stream};
const char* to_string(Style style);
constexpr bool over_stream(Style style) {
  return style == Style::async_stream || style == Style::function_stream;
}

/// Makes the processor. `called` counts the calls of handlers that act; it must outlive it.
Service make_doer(const std::string& name, Style style, const Acts& acts, int& called);

/// The other processor of a chain.
enum class Other : std::uint8_t { nothing, message, stream };
inline constexpr Other kOthers[] = {Other::nothing, Other::message, Other::stream};
const char* to_string(Other other);

/// Does nothing, or sets a header of its own and turns bodies to upper case, whatever their chunks.
Service make_other(const std::string& name, Other other);

}  // namespace extproc::completeness
