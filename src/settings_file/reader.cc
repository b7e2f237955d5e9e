#include "settings_file/reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/nearest.h"
#include "setting_text/place.h"
#include "settings_file/keys.h"
#include "settings_file/values.h"

namespace extproc::settings_file {
namespace {

using detail::SettingNode;
using server::SettingRow;
using Kind = SettingNode::Kind;

/// Where keys stand.
enum class Where : std::uint8_t { top, service };

class PlanReader {
 public:
  explicit PlanReader(Errors& errors) : errors_(errors) {}

  Plan read(const SettingNode& root) {
    Plan plan{.file = errors_.file()};
    if (!is_mapping("the file", root)) return plan;
    read_common(root, Where::top, plan.common);
    for (std::size_t i = 0; i < root.keys.size(); ++i) {
      const SettingNode& value = root.items[i];
      if (root.keys[i].name == kModulePath) read_module_path(value, plan.module_path);
      if (root.keys[i].name == kServices) read_services(value, plan.services);
    }
    return plan;
  }

 private:
  std::string source(int line) const { return setting_text::place(errors_.file(), line); }

  /// An empty one is one.
  bool is_mapping(std::string_view name, const SettingNode& node) {
    if (node.kind == Kind::mapping || node.kind == Kind::nothing) return true;
    errors_.add(node.line, std::string(name) + " is " + shown(node) + ": it must be a mapping");
    return false;
  }
  bool is_list(std::string_view name, const SettingNode& node, std::string_view of) {
    if (node.kind == Kind::list && !node.items.empty()) return true;
    errors_.add(node.line, std::string(name) + " is " +
                               (node.kind == Kind::list ? "an empty list" : shown(node)) +
                               ": it must be a list of " + std::string(of));
    return false;
  }

  void tell_unknown(const SettingNode::Key& key, std::string_view group,
                    std::vector<std::string_view> known) {
    const std::string name = (group.empty() ? "" : std::string(group) + ".") + key.name;
    std::string meant;
    // One of another group, or of its flag's name.
    std::string plain = key.name;
    std::ranges::replace(plain, '-', '_');
    for (const SettingRow& row : server::setting_rows()) {
      if (key_of(row) == plain && group_of(row) != group) meant = row.name;
    }
    if (meant.empty()) meant = likely_meant(key.name, known);
    std::string text = name + " is no setting here: ";
    if (!meant.empty()) {
      text += "did you mean \"" + meant + "\"?";
    } else {
      text += "there are";
      for (const auto each : known) text.append(" ").append(each);
    }
    errors_.add(key.line, text);
  }

  void read_common(const SettingNode& node, Where where, Common& common) {
    std::vector<std::string_view> known{kTls, kGroups[0], kGroups[1]};
    if (where == Where::top) known.insert(known.end(), {kServices, kModulePath});
    if (where == Where::service) known.push_back(kProcessors);
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const auto& key = node.keys[i];
      const SettingNode& value = node.items[i];
      if (key.name == kTls) {
        read_tls(value, common);
      } else if (std::ranges::find(kGroups, key.name) != std::end(kGroups)) {
        read_group(key.name, value, common);
      } else if (std::ranges::find(known, key.name) == known.end()) {
        read_row(key, value, where, known, common.given);
      }
    }
    const Given* port = common.given.find("port");
    if (port == nullptr) port = common.given.find("listen");
    const bool both = node.find("port") != nullptr && node.find("listen") != nullptr;
    if (both && port != nullptr)
      errors_.add(node.find("listen")->line, "port and listen are both given: give one of them");
  }

  void read_row(const SettingNode::Key& key, const SettingNode& value, Where where,
                std::vector<std::string_view> known, GivenSettings& given) {
    for (const SettingRow& row : server::setting_rows()) {
      if (!group_of(row).empty()) continue;
      if (row.name == key.name) return put(row, key, value, where, given);
      if (where == Where::top || !is_of_process(row)) known.push_back(row.name);
    }
    tell_unknown(key, {}, std::move(known));
  }

  void put(const SettingRow& row, const SettingNode::Key& key, const SettingNode& value,
           Where where, GivenSettings& given) {
    if (where == Where::service && is_of_process(row)) {
      errors_.add(key.line, key.name + " is of the process: write it at the top of the file");
      return;
    }
    if (auto text = row_text(row, value, errors_))
      given.put(
          {.row = &row, .source = source(key.line), .text = std::move(*text), .line = key.line});
  }

  void read_group(const std::string& group, const SettingNode& node, Common& common) {
    if (!is_mapping(group, node)) return;
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const auto& key = node.keys[i];
      if (group == "filter" && key.name == kOverrides) {
        read_overrides(key, node.items[i], common);
        continue;
      }
      std::vector<std::string_view> known;
      if (group == "filter") known.push_back(kOverrides);
      const SettingRow* found = nullptr;
      for (const SettingRow& row : server::setting_rows()) {
        if (group_of(row) != group) continue;
        known.push_back(key_of(row));
        if (key_of(row) == key.name) found = &row;
      }
      if (found == nullptr) {
        tell_unknown(key, group, std::move(known));
      } else {
        put(*found, key, node.items[i], Where::top, common.given);
      }
    }
  }

  void read_overrides(const SettingNode::Key& key, const SettingNode& node, Common& common) {
    if (!is_list(kOverrides, node, "mappings, as in - {response_body_mode: STREAMED}")) return;
    GivenOverrides overrides{.source = source(key.line)};
    for (const SettingNode& item : node.items) {
      if (const auto mode = override_of(item, errors_)) overrides.modes.push_back(*mode);
    }
    common.overrides = std::move(overrides);
  }

  void read_tls(const SettingNode& node, Common& common) {
    if (!is_mapping(kTls, node)) return;
    GivenTls tls{.source = source(node.line), .line = node.line};
    bool good = true;
    for (std::size_t i = 0; i < node.keys.size(); ++i)
      good = read_tls_key(node.keys[i], node.items[i], tls.settings) && good;
    if (!good) return;
    if (tls.settings.certificate_file.empty() && tls.settings.certificate.empty()) {
      errors_.add(node.line, "tls has no certificate_file: give it and key_file");
      return;
    }
    common.tls = std::move(tls);
  }

  bool read_tls_key(const SettingNode::Key& key, const SettingNode& node, TlsSettings& tls) {
    std::vector<std::string_view> known;
    for (const TlsKey& each : tls_keys()) {
      known.push_back(each.name);
      if (each.name != key.name) continue;
      if (each.member == nullptr) return read_tls_value(key, node, tls);
      const auto text = text_of("tls." + key.name, node, errors_);
      if (text) tls.*each.member = *text;
      return text.has_value();
    }
    tell_unknown(key, kTls, std::move(known));
    return false;
  }

  bool read_tls_value(const SettingNode::Key& key, const SettingNode& node, TlsSettings& tls) {
    if (key.name == "min_version") {
      const bool newest = node.text == "1.3";
      if (node.kind == Kind::scalar && (newest || node.text == "1.2")) {
        tls.min_version = newest ? TlsVersion::v1_3 : TlsVersion::v1_2;
        return true;
      }
      errors_.add(node.line, "tls.min_version is " + shown(node) + ": it must be 1.2 or 1.3");
      return false;
    }
    if (!is_list("tls.allowed_sans", node, "texts, as in dns:envoy.example")) return false;
    for (const SettingNode& item : node.items) {
      if (auto text = text_of("tls.allowed_sans", item, errors_))
        tls.allowed_sans.push_back(std::move(*text));
    }
    return true;
  }

  void read_module_path(const SettingNode& node, std::vector<std::string>& path) {
    const auto add = [&](const SettingNode& folder) {
      if (auto text = text_of(kModulePath, folder, errors_)) path.push_back(std::move(*text));
    };
    if (node.kind == Kind::scalar) {
      add(node);
    } else if (is_list(kModulePath, node, "folders")) {
      for (const SettingNode& folder : node.items) add(folder);
    }
  }

  void read_services(const SettingNode& node, std::vector<PlannedService>& services) {
    if (!is_list(kServices, node, "services, each with `processors`")) return;
    for (const SettingNode& item : node.items) {
      if (!is_mapping("a service", item)) continue;
      PlannedService service{.line = item.line};
      read_common(item, Where::service, service.common);
      if (const SettingNode* processors = item.find(kProcessors)) {
        read_processors(*processors, service.processors);
      } else {
        errors_.add(item.line,
                    "processors is missing: name the service's processor, or several "
                    "for a chain");
      }
      services.push_back(std::move(service));
    }
  }

  void read_processors(const SettingNode& node, std::vector<PlannedProcessor>& processors) {
    if (!is_list(kProcessors, node, "names, or of mappings with `name` and `settings`")) return;
    for (const SettingNode& item : node.items) {
      PlannedProcessor processor{.line = item.line};
      if (item.kind == Kind::mapping) {
        read_processor(item, processor);
      } else if (auto name = text_of("a processor", item, errors_)) {
        processor.name = std::move(*name);
      }
      const bool twice = std::ranges::any_of(
          processors, [&](const auto& other) { return other.name == processor.name; });
      if (twice && !processor.name.empty()) {
        errors_.add(item.line, processor.name + " is in the chain twice: name each processor once");
      }
      processors.push_back(std::move(processor));
    }
  }

  void read_processor(const SettingNode& node, PlannedProcessor& processor) {
    if (node.find(kName) == nullptr)
      errors_.add(node.line, "name is missing: name the processor, as in module.Name");
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const auto& key = node.keys[i];
      if (key.name == kName) {
        if (auto name = text_of(kName, node.items[i], errors_)) processor.name = std::move(*name);
      } else if (key.name == kOwn) {
        if (!is_mapping("settings of a processor", node.items[i])) continue;
        processor.own = node.items[i];
        if (processor.own.kind == Kind::mapping) processor.own.line = key.line;
      } else {
        tell_unknown(key, {}, {kName, kOwn});
      }
    }
  }

  Errors& errors_;
};

}  // namespace

Plan read_plan(const SettingNode& root, Errors& errors) { return PlanReader(errors).read(root); }

}  // namespace extproc::settings_file
