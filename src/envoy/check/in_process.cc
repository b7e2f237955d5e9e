#include "envoy/check/in_process.h"

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "envoy/filter_reader.h"
#include "envoy/message_reader.h"
#include "envoy/struct_text.h"
#include "envoy/yaml_node.h"
#include "extproc/error.h"
#include "extproc/http.h"
#include "filter/config_text.h"
#include "filter/filter_config.h"

namespace extproc::envoy_config {
namespace {

constexpr std::string_view kRefused = "filter-config-refused";

/// Its lines are those of the file where it is a block in that, or is all on one.
std::string on_its_lines(std::string text, const YAML::Node& value) {
  const auto first_break = text.find('\n');
  const bool is_block = first_break != std::string::npos && first_break + 1 < text.size();
  const int line = value.Mark().line + (is_block ? 1 : 0);
  text.insert(0, static_cast<std::size_t>(line), '\n');
  return text;
}

/// What filter_config says.
struct Said {
  Place key{};
  /// A mapping, or not defined.
  YAML::Node fields{YAML::NodeType::Undefined};
  /// As the filter is handed it, on the lines of the file.
  std::string text{};
};

/// Throws Error for what Envoy does not hand to the filter.
void read_struct(const YAML::Node& value, Said& said) {
  if (!value.IsMap())
    throw Error("its value is no mapping, as that of a google.protobuf.Struct is");
  said.fields.reset(value);
  said.text = struct_text(value);
}

/// Throws Error for what the filter does not read.
void read_text(std::string text, const YAML::Node& value, Said& said) {
  said.text = on_its_lines(std::move(text), value);
  // Aliases are none of what it takes: what they stand for is never walked.
  filter::read_config_text(said.text);
  try {
    const YAML::Node read = YAML::Load(said.text);
    if (read.IsMap()) said.fields.reset(read);
  } catch (const YAML::Exception& error) {
    throw Error(error.what());
  }
}

void read_value(const YAML::Node& config, Said& said) {
  const Field value = field(config, "value");
  if (has_type(config, "protobuf.Struct")) {
    if (value) read_struct(value.value, said);
  } else if (has_type(config, "protobuf.StringValue")) {
    if (value) read_text(text(value.value), value.value, said);
  } else if (has_type(config, "protobuf.BytesValue")) {
    auto bytes = http::base64_decode(text(value.value));
    if (!bytes) throw Error("its value is no base64, as that of a google.protobuf.BytesValue is");
    if (value) read_text(*std::move(bytes), value.value, said);
  } else {
    throw Error("it is none of google.protobuf.Struct, StringValue and BytesValue");
  }
}

/// Nothing where it is refused.
std::optional<Said> read_said(const YAML::Node& message, std::vector<Problem>& problems) {
  Said said;
  const Field config = field(message, "filter_config");
  if (!config) return said;
  said.key = place_of(config.key);
  try {
    read_value(config.value, said);
  } catch (const Error& error) {
    problems.push_back(refused_by_filter(said.key, error.what()));
    return std::nullopt;
  }
  return said;
}

std::vector<std::string> processors_of(const YAML::Node& config, const std::string& name) {
  std::vector<std::string> names;
  for (const YAML::Node& entry : items(field(config, "processors").value))
    names.push_back(text(field(entry, "name").value));
  if (names.empty()) names.push_back(name);
  return names;
}

/// Has the filter read it, as it does where Envoy loads it. Nothing where it refuses that.
template <class Read>
auto try_out(const Said& said, std::vector<Problem>& problems, Read read)
    -> std::optional<decltype(read(said.text))> {
  try {
    return read(said.text);
  } catch (const Error& error) {
    problems.push_back(refused_by_filter(said.key, error.what()));
    return std::nullopt;
  }
}

InsideProcessors inside_of(const filter::FilterConfig& config) {
  InsideProcessors inside{.module_path = config.module_path,
                          .chain_header = config.chain_header,
                          .filter = config.filter,
                          .all = config.all};
  for (const auto& [name, settings] : config.processors)
    inside.processors.push_back({name, settings});
  return inside;
}

/// Which the check has a rule for.
bool is_full_duplex(const FilterConfig& config) {
  const StatedMode& mode = *config.processing_mode;
  return mode.request_body == BodySendMode::full_duplex_streamed ||
         mode.response_body == BodySendMode::full_duplex_streamed;
}

/// What the filter would say comes last, where nothing is said better.
template <class Read>
InProcessConfig read_config(const Said& said, const std::string& name,
                            std::vector<Problem>& problems, Read read) {
  InProcessConfig config;
  config.processors = processors_of(said.fields, name);
  const std::size_t before = problems.size();
  if (said.fields.IsDefined()) config.config = read_in_process_config(said.fields, problems);
  if (problems.size() != before || is_full_duplex(config.config)) return config;
  if (const auto taken = try_out(said, problems, read)) config.inside = inside_of(*taken);
  return config;
}

bool is_of_the_library(const YAML::Node& config) {
  return text(at(config, {"dynamic_module_config", "name"})) == kEnvoyModule;
}

}  // namespace

bool is_of_filter_config(std::string_view why) { return why.starts_with(filter::kConfigName); }

Problem refused_by_filter(Place otherwise, std::string_view why) {
  Problem problem{otherwise, kRefused, {}, "docs/in-envoy.md has all that filter_config may say"};
  std::string_view left = why;
  if (left.starts_with(filter::kConfigName)) {
    left.remove_prefix(filter::kConfigName.size());
    if (left.starts_with(':')) {
      const char* const end = left.data() + left.size();
      int line = 0;
      const auto [behind, error] = std::from_chars(left.data() + 1, end, line);
      if (error == std::errc{}) {
        problem.place = {.line = line, .column = 1};
        why = {behind, end};
      }
    }
  }
  while (why.starts_with(':') || why.starts_with(' ')) why.remove_prefix(1);
  problem.what = std::string(why) + ": Envoy refuses the configuration";
  return problem;
}

bool is_in_process(const YAML::Node& entry) {
  const YAML::Node config = field(entry, "typed_config").value;
  return has_type(config, "dynamic_modules.v3.DynamicModuleFilter") && is_of_the_library(config);
}

InProcessConfig read_in_process(const YAML::Node& message, std::vector<Problem>& problems) {
  const std::string name = text(field(message, "filter_name").value);
  const auto said = read_said(message, problems);
  if (!said) return {};
  return read_config(*said, name, problems,
                     [&](std::string_view text) { return filter::read_filter_config(name, text); });
}

bool is_in_process_route(YAML::Node& config) {
  if (has_type(config, "route.v3.FilterConfig")) config.reset(field(config, "config").value);
  return has_type(config, "dynamic_modules.v3.DynamicModuleFilterPerRoute") &&
         is_of_the_library(config);
}

InProcessRoute read_in_process_route(const YAML::Node& message, std::vector<Problem>& problems) {
  const std::string name = text(field(message, "per_route_config_name").value);
  const auto said = read_said(message, problems);
  if (!said) return {};
  const auto read = [&](std::string_view text) { return filter::read_route_config(name, text); };
  if (!is_true(field(said->fields, "disabled").value)) {
    return {read_config(*said, name, problems,
                        [&](std::string_view text) { return *read(text).config; })};
  }
  try_out(*said, problems, read);
  return {{}, true};
}

}  // namespace extproc::envoy_config
