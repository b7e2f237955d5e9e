#include "envoy/filter_config.h"

namespace extproc::envoy_config {

std::vector<Problem> full_duplex_problems(const StatedMode& mode, std::string_view name,
                                          Place otherwise) {
  std::vector<Problem> problems;
  for (const auto& [body, trailers] : {std::pair{Phase::request_body, Phase::request_trailers},
                                       {Phase::response_body, Phase::response_trailers}}) {
    if (mode.body(body) != BodySendMode::full_duplex_streamed || mode.sends(trailers)) continue;
    const Place place = mode.place_of(body);
    problems.push_back({place ? place : otherwise, "full-duplex-without-trailers",
                        std::string(name) + " sends " + std::string(to_string(body)) +
                            " as FULL_DUPLEX_STREAMED without " + std::string(to_string(trailers)) +
                            ": Envoy refuses the configuration",
                        "set " + std::string(mode_field(trailers)) + ": SEND"});
  }
  return problems;
}

FilterSettings filter_settings(const FilterConfig& config) {
  using std::chrono::milliseconds;
  using std::chrono::nanoseconds;
  const nanoseconds message_timeout = config.message_timeout;
  const nanoseconds longest = config.max_message_timeout;
  const rules::HeaderRules& rules = config.mutation_rules->by_name;
  return {.message_timeout = std::chrono::duration_cast<milliseconds>(message_timeout),
          .max_message_timeout = std::chrono::duration_cast<milliseconds>(
              longest < message_timeout ? nanoseconds(0) : longest),
          .allow_all_routing = rules.allow_all_routing,
          .allow_envoy = rules.allow_envoy};
}

}  // namespace extproc::envoy_config
