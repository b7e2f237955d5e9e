#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace extproc::admin {

/// The first value of a name in "name=value&...", as a query or an HTML form has it; nothing where
/// it is not there, or its escapes are wrong.
std::optional<std::string> form_value(std::string_view form, std::string_view name);

/// "text/html" of "text/html; charset=utf-8", in lower case, without spaces.
std::string media_type(std::string_view header);
/// Whether an Accept header names the type, in whatever order; not one that it does not want (q=0).
bool names_type(std::string_view accept, std::string_view type);

}  // namespace extproc::admin
