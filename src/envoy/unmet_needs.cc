#include "envoy/unmet_needs.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "rules/mode_rules.h"

namespace extproc::envoy_config {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class Unmet {
 public:
  Unmet(std::string_view processor, std::string_view filter, Place otherwise)
      : processor_(processor), filter_(filter), otherwise_(otherwise) {}

  std::vector<Problem> take() && { return std::move(all_); }

  void names(std::string_view rule, std::string_view field, std::string_view what,
             const std::vector<std::string>& needed,
             const Setting<std::vector<std::string>>& given) {
    for (const std::string& name : needed) {
      if (std::ranges::find(*given, name) != given->end()) continue;
      add(given, rule,
          processor_ + " needs " + std::string(what) + " " + name + ", which " + filter_ +
              " does not name in " + std::string(field),
          "add " + name + " to " + std::string(field));
    }
  }
  template <class T>
  void flag(std::string_view rule, std::string_view field, bool needed, const Setting<T>& given,
            bool has) {
    if (!needed || has) return;
    add(given, rule, lacks(std::string(field) + ": true"), "set " + std::string(field) + ": true");
  }
  void time(std::string_view rule, std::string_view field,
            const std::optional<milliseconds>& needed, const Setting<nanoseconds>& given) {
    if (!needed || *given >= *needed) return;
    const std::string value = seconds(*needed);
    add(given, rule,
        processor_ + " needs a " + std::string(field) + " of at least " + value + ", and " +
            filter_ + " has " + seconds(*given),
        "set " + std::string(field) + ": " + value);
  }
  void trailers(Phase phase, bool needed, const Setting<StatedMode>& mode) {
    if (!needed || mode->sends(phase)) return;
    const Place place = mode->place_of(phase);
    all_.push_back({place              ? place
                    : mode.is_stated() ? mode.key
                                       : otherwise_,
                    "phase-not-sent",
                    processor_ + " needs " + std::string(to_string(phase)) + ", which " + filter_ +
                        " does not send",
                    "set " + std::string(mode_field(phase)) + ": SEND"});
  }
  /// Headers that wait for their body.
  void wait(Phase headers, bool needed, const FilterConfig& filter) {
    const Phase body = rules::body_of(headers);
    if (!needed || filter.first_mode().body(body) != BodySendMode::streamed ||
        filter.send_body_without_waiting)
      return;
    const std::string field(mode_field(body));
    add(filter.send_body_without_waiting, "headers-cannot-wait",
        processor_ + " decides " + std::string(to_string(headers)) + " by their body, which " +
            filter_ + " sends behind their answer (" + field + ": STREAMED)",
        "set send_body_without_waiting_for_header_response: true, or " + field +
            ": FULL_DUPLEX_STREAMED");
  }
  void body(Phase phase, const std::optional<BodySendMode>& needed, const ProcessingMode& mode) {
    if (!needed || mode.body(phase) == *needed) return;
    const std::string field(mode_field(phase));
    all_.push_back({{},
                    "body-mode",
                    processor_ + " needs " + field + ": " + std::string(to_string(*needed)) +
                        ", and " + filter_ + " has " + std::string(to_string(mode.body(phase))),
                    "set " + field + ": " + std::string(to_string(*needed))});
  }

 private:
  static std::string seconds(nanoseconds time) {
    std::string text = std::to_string(std::chrono::duration<double>(time).count());
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text + "s";
  }
  std::string lacks(const std::string& what) const {
    return processor_ + " needs " + what + ", which " + filter_ + " does not have";
  }
  template <class T>
  void add(const Setting<T>& at, std::string_view rule, std::string what, std::string mend) {
    all_.push_back({at.is_stated() ? at.key : otherwise_, rule, std::move(what), std::move(mend)});
  }

  const std::string processor_;
  const std::string filter_;
  const Place otherwise_;
  std::vector<Problem> all_;
};

}  // namespace

std::vector<Problem> unmet_needs(const extproc::Needs& needs, const FilterConfig& filter,
                                 std::string_view processor, std::string_view filter_name,
                                 Place otherwise) {
  Unmet unmet(processor, filter_name, otherwise);
  unmet.names("attribute-not-sent", "request_attributes", "the attribute", needs.request_attributes,
              filter.request_attributes);
  unmet.names("attribute-not-sent", "response_attributes", "the attribute",
              needs.response_attributes, filter.response_attributes);
  unmet.names("metadata-not-forwarded", "metadata_options.forwarding_namespaces.untyped",
              "to read the dynamic metadata of", needs.metadata_read, filter.metadata.forwarding);
  unmet.names("metadata-not-received", "metadata_options.receiving_namespaces.untyped",
              "to set the dynamic metadata of", needs.metadata_set, filter.metadata.receiving);
  unmet.flag("observability-missing", "observability_mode", needs.observability_mode,
             filter.observability_mode, filter.observability_mode);
  unmet.flag("body-waits-for-headers", "send_body_without_waiting_for_header_response",
             needs.send_body_without_waiting_for_header_response, filter.send_body_without_waiting,
             filter.send_body_without_waiting);
  unmet.wait(Phase::request_headers, needs.request_headers_wait_for_body, filter);
  unmet.wait(Phase::response_headers, needs.response_headers_wait_for_body, filter);
  const rules::HeaderRules& rules = filter.mutation_rules->by_name;
  unmet.flag("header-rules", "mutation_rules.allow_all_routing", needs.allow_all_routing,
             filter.mutation_rules, rules.allow_all_routing);
  unmet.flag("header-rules", "mutation_rules.allow_envoy", needs.allow_envoy, filter.mutation_rules,
             rules.allow_envoy);
  unmet.time("message-timeout-too-short", "message_timeout", needs.message_timeout,
             filter.message_timeout);
  unmet.time("max-message-timeout-too-short", "max_message_timeout", needs.max_message_timeout,
             filter.max_message_timeout);
  unmet.trailers(Phase::request_trailers, needs.request_trailers, filter.processing_mode);
  unmet.trailers(Phase::response_trailers, needs.response_trailers, filter.processing_mode);
  return std::move(unmet).take();
}

std::vector<Problem> unmet_modes(const extproc::Needs& needs, PhaseSet handled,
                                 const FilterConfig& filter, std::string_view processor,
                                 std::string_view filter_name) {
  Unmet unmet(processor, filter_name, {});
  const ProcessingMode& mode = filter.first_mode();
  // A mode that is left to an override is none that the filter has.
  if (!needs.mode_override && handled.contains(Phase::request_body))
    unmet.body(Phase::request_body, needs.request_body_mode, mode);
  if (!needs.mode_override && handled.contains(Phase::response_body))
    unmet.body(Phase::response_body, needs.response_body_mode, mode);
  unmet.flag("mode-override-not-allowed", "allow_mode_override", needs.mode_override,
             filter.allow_mode_override, filter.allow_mode_override);
  return std::move(unmet).take();
}

}  // namespace extproc::envoy_config
