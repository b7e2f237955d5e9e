// The JSON Schema of a settings file, from the same tables as its reader.
#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

#include "extproc/settings_file.h"
#include "server/settings_table.h"
#include "server/values.h"
#include "settings_file/json_text.h"
#include "settings_file/keys.h"

namespace extproc {
namespace settings_file {
namespace {

using server::SettingRow;
using server::Unit;

constexpr std::string_view kDraft = "https://json-schema.org/draft/2020-12/schema";

/// Puts the schema together.
class SchemaText {
 public:
  std::string make() {
    json_.object();
    json_.text("$schema", kDraft);
    json_.text("title", "What extproc serve --settings reads");
    mapping_of(true);
    json_.object("$defs");
    tls();
    overrides();
    processors();
    json_.end();
    json_.end();
    return json_.take();
  }

 private:
  /// The file, or a service: what is the same in both, and what is not.
  void mapping_of(bool top) {
    json_.list("type");
    json_.item("object");
    if (top) json_.item("null");
    json_.end();
    json_.raw("additionalProperties", "false");
    if (!top) required({kProcessors});
    json_.object("not");
    json_.text("type", "object");
    required({"port", "listen"});
    json_.end();
    json_.object("properties");
    rows({}, top);
    for (const std::string_view group : kGroups) {
      json_.object(group);
      nullable("object");
      json_.raw("additionalProperties", "false");
      json_.object("properties");
      rows(group, top);
      if (group == "filter") reference(kOverrides, "overrides");
      json_.end();
      json_.end();
    }
    reference(kTls, "tls");
    if (top) {
      module_path();
      services();
    } else {
      reference(kProcessors, "processors");
    }
    json_.end();
  }

  void rows(std::string_view group, bool top) {
    for (const SettingRow& row : server::setting_rows()) {
      if (group_of(row) != group || (!top && is_of_process(row))) continue;
      json_.object(key_of(row));
      // That of its flag, which alone stands for one value.
      std::string text = row.flag_value == "false" ? "false: " : "";
      text += row.help;
      text += " (" + server::default_of(row) + ")";
      json_.text("description", text);
      value(row);
      json_.end();
    }
  }

  void value(const SettingRow& row) {
    switch (row.unit) {
      case Unit::seconds:
        return number("number", row,
                      std::to_string(std::chrono::seconds(server::kLongestTime).count()),
                      R"(^([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$)");
      case Unit::bytes:
        return number("integer", row, {}, "^[0-9]+([kmgtKMGT]([iI]?[bB])?)?$");
      case Unit::count:
        return number("integer", row, {}, "^[0-9]+$");
      case Unit::port:
        return number("integer", row, "65535", "^[0-9]+$");
      case Unit::on_or_off:
        json_.list("enum");
        json_.raw({}, "true");
        json_.raw({}, "false");
        json_.item("true");
        json_.item("false");
        return json_.end();
      case Unit::log_level:
        return pattern(
            "^([Dd][Ee][Bb][Uu][Gg]|[Ii][Nn][Ff][Oo]|[Ww][Aa][Rr][Nn]([Ii][Nn][Gg])?|"
            "[Ee][Rr][Rr][Oo][Rr]|[Cc][Rr][Ii][Tt][Ii][Cc][Aa][Ll]|[Oo][Ff][Ff])$");
      case Unit::log_format:
        return pattern("^([Tt][Ee][Xx][Tt]|[Jj][Ss][Oo][Nn])$");
      case Unit::header_names:
        return texts();
      case Unit::address:
        // A port alone is one.
        json_.list("type");
        json_.item("string");
        json_.item("integer");
        return json_.end();
      case Unit::header_name:
      case Unit::text:
        break;
    }
    json_.text("type", "string");
  }

  /// Or the same as text.
  void number(std::string_view type, const SettingRow& row, std::string most,
              std::string_view text_pattern) {
    std::string least = "0";
    if (row.value != nullptr && row.unit != Unit::seconds) {
      least = std::to_string(row.least);
      most = std::to_string(row.most);
    }
    if (row.unit == Unit::seconds && row.least > 0) least = "0.001";
    json_.list("anyOf");
    json_.object();
    json_.text("type", type);
    json_.raw("minimum", least);
    if (!most.empty()) json_.raw("maximum", most);
    json_.end();
    json_.object();
    pattern(text_pattern);
    json_.end();
    json_.end();
  }

  void pattern(std::string_view pattern) {
    json_.text("type", "string");
    json_.text("pattern", pattern);
  }

  /// One text, or a list.
  void texts() {
    json_.list("anyOf");
    json_.object();
    non_empty_text();
    json_.end();
    json_.object();
    list_of_texts();
    json_.end();
    json_.end();
  }
  void list_of_texts() {
    json_.text("type", "array");
    json_.raw("minItems", "1");
    json_.object("items");
    non_empty_text();
    json_.end();
  }
  void non_empty_text() {
    json_.text("type", "string");
    json_.raw("minLength", "1");
  }

  void nullable(std::string_view type) {
    json_.list("type");
    json_.item(type);
    json_.item("null");
    json_.end();
  }
  void required(std::initializer_list<std::string_view> names) {
    json_.list("required");
    for (const std::string_view name : names) json_.item(name);
    json_.end();
  }
  void reference(std::string_view key, std::string_view definition) {
    json_.object(key);
    json_.text("$ref", "#/$defs/" + std::string(definition));
    json_.end();
  }

  void module_path() {
    json_.object(kModulePath);
    json_.text("description", "Where to look for modules first");
    texts();
    json_.end();
  }

  void services() {
    json_.object(kServices);
    json_.text("type", "array");
    json_.raw("minItems", "1");
    json_.object("items");
    mapping_of(false);
    json_.end();
    json_.end();
  }

  void tls() {
    json_.object("tls");
    json_.text("type", "object");
    json_.raw("additionalProperties", "false");
    json_.list("anyOf");
    for (const std::string_view name : {"certificate_file", "certificate"}) {
      json_.object();
      required({name});
      json_.end();
    }
    json_.end();
    json_.object("properties");
    for (const TlsKey& key : tls_keys()) {
      json_.object(key.name);
      json_.text("description", key.help);
      if (key.member != nullptr) {
        non_empty_text();
      } else if (key.name == "min_version") {
        json_.list("enum");
        for (const std::string_view version : {"1.2", "1.3"}) {
          json_.item(version);
          json_.raw({}, version);
        }
        json_.end();
      } else {
        list_of_texts();
      }
      json_.end();
    }
    json_.end();
    json_.end();
  }

  void overrides() {
    json_.object("overrides");
    json_.text("description",
               "What overrides of the mode may choose, as in Envoy's ProcessingMode");
    json_.text("type", "array");
    json_.raw("minItems", "1");
    json_.object("items");
    json_.text("type", "object");
    json_.raw("additionalProperties", "false");
    json_.object("properties");
    for (const std::string_view direction : {"request", "response"}) {
      for (const std::string_view part : {"header", "body", "trailer"}) {
        json_.object(std::string(direction) + "_" + std::string(part) + "_mode");
        json_.list("enum");
        if (part == "body") {
          for (int mode = 0; mode <= static_cast<int>(BodySendMode::grpc); ++mode)
            json_.item(to_string(static_cast<BodySendMode>(mode)));
        } else {
          json_.item("SEND");
          json_.item("SKIP");
        }
        json_.end();
        json_.end();
      }
    }
    json_.end();
    json_.end();
    json_.end();
  }

  void processors() {
    json_.object("processors");
    json_.text("description", "One processor, or several that are a chain");
    json_.text("type", "array");
    json_.raw("minItems", "1");
    json_.object("items");
    json_.list("anyOf");
    json_.object();
    non_empty_text();
    json_.end();
    json_.object();
    json_.text("type", "object");
    json_.raw("additionalProperties", "false");
    required({kName});
    json_.object("properties");
    json_.object(kName);
    json_.text("description", "module.Name");
    non_empty_text();
    json_.end();
    json_.object(kOwn);
    json_.text("description", "What is the processor's own");
    nullable("object");
    json_.end();
    json_.end();
    json_.end();
    json_.end();
    json_.end();
    json_.end();
  }

  JsonText json_;
};

}  // namespace
}  // namespace settings_file

std::string settings_file_schema() { return settings_file::SchemaText().make(); }

}  // namespace extproc
