#include "filter/modes.h"

#include <optional>
#include <string>

#include "extproc/error.h"

namespace extproc::filter {
namespace {

BodySendMode body_mode(Phase phase, const std::optional<BodySendMode>& said,
                       const std::optional<BodySendMode>& stated, const FilterConfig& config,
                       const detail::Dispatcher& dispatcher) {
  const std::string key = std::string("processing_mode.") + std::string(to_string(phase)) + "_mode";
  const auto mode_that_suits = [&] {
    if (config.observability_mode) return BodySendMode::streamed;
    return dispatcher.streamed().contains(phase) ? BodySendMode::streamed : BodySendMode::buffered;
  };
  if (!dispatcher.phases().contains(phase)) return BodySendMode::none;
  if (said) {
    if (config.observability_mode && *said != BodySendMode::none && *said != BodySendMode::streamed)
      throw Error(key + " is " + std::string(to_string(*said)) +
                  ": in observability_mode no body waits, so that it must be STREAMED or NONE");
    return *said;
  }
  if (!stated) return mode_that_suits();
  if (is_full_duplex(*stated))
    throw Error(dispatcher.name() + " needs its body as " + std::string(to_string(*stated)) +
                ", which Envoy's dynamic modules have no means for: say " + key +
                ": STREAMED where that suits it, or run it behind ext_proc");
  return *stated;
}

}  // namespace

Modes modes_of(const FilterConfig& config, const detail::Dispatcher& dispatcher,
               const Needs& needs) {
  const PhaseSet handled = dispatcher.phases();
  const auto sends = [&](Phase phase, bool needed) {
    const auto& said = config.send[static_cast<std::size_t>(phase)];
    return said ? *said == HeaderSendMode::send : needed;
  };
  Modes modes;
  modes.request.body = body_mode(Phase::request_body, config.request_body_mode,
                                 needs.request_body_mode, config, dispatcher);
  modes.response.body = body_mode(Phase::response_body, config.response_body_mode,
                                  needs.response_body_mode, config, dispatcher);
  modes.request.headers = sends(Phase::request_headers, true);
  modes.response.headers =
      sends(Phase::response_headers, handled.contains(Phase::response_headers) ||
                                         !config.chain_header.empty() ||
                                         modes.response.body != BodySendMode::none);
  // The end of a whole body is told by what stands behind it.
  modes.request.trailers =
      sends(Phase::request_trailers, handled.contains(Phase::request_trailers) ||
                                         needs.request_trailers ||
                                         dispatcher.streamed().contains(Phase::request_body));
  modes.response.trailers =
      sends(Phase::response_trailers, handled.contains(Phase::response_trailers) ||
                                          needs.response_trailers ||
                                          dispatcher.streamed().contains(Phase::response_body));
  return modes;
}

}  // namespace extproc::filter
