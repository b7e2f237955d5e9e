#include "call_log/redacted_names.h"

#include <algorithm>

#include "base/header_name.h"
#include "extproc/http.h"

namespace extproc::call_log {
namespace {

bool is_encoded(std::string_view name) { return name.find_first_of("%+") != name.npos; }

}  // namespace

bool RedactedNames::has(std::string_view name) const {
  return std::ranges::any_of(names_,
                             [name](std::string_view each) { return same_name(each, name); });
}

void RedactedNames::put_path(JsonLine& line, std::string_view name, std::string_view path,
                             std::size_t most) const {
  if (!line.begin_text(name, most)) return;
  const std::size_t query = path.find('?');
  line.piece(path.substr(0, query));
  // Each parameter behind the '?' or '&' in front of it.
  for (std::size_t at = query; at < path.size();) {
    const std::size_t end = std::min(path.find('&', at + 1), path.size());
    const std::string_view param = path.substr(at, end - at);
    const std::size_t equals = param.find('=');
    at = end;
    if (equals == param.npos) {
      line.piece(param);
      continue;
    }
    const std::string_view its_name = param.substr(1, equals - 1);
    const bool secret = is_encoded(its_name) ? has(http::form_decode(its_name)) : has(its_name);
    line.piece(secret ? param.substr(0, equals + 1) : param);
    if (secret) line.piece(kRedacted);
  }
  line.end_text();
}

}  // namespace extproc::call_log
