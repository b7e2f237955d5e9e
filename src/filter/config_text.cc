#include "filter/config_text.h"

#include <string>
#include <utility>

#include "extproc/error.h"
#include "setting_text/json.h"
#include "setting_text/place.h"
#include "setting_text/yaml.h"

namespace extproc::filter {

detail::SettingNode read_config_text(std::string_view text) {
  using Kind = detail::SettingNode::Kind;
  const std::string name(kConfigName);
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {.kind = Kind::mapping, .line = 1};
  if (text[begin] == '{') return setting_text::read_json(text, name);
  detail::SettingNode root =
      setting_text::read_yaml(text, name, [&](int line, const std::string& why) {
        throw Error(setting_text::place(name, line) + ": " + why);
      });
  // Nothing but comments.
  if (root.kind == Kind::nothing) root = {.kind = Kind::mapping, .line = 1};
  return root;
}

}  // namespace extproc::filter
