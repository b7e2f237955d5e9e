#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include "chain/chain_exchange.h"

namespace extproc::chain {
namespace {

/// How much of a body a mode brings at once: the modes in between have what is weaker in them.
constexpr int strength(BodySendMode mode) {
  switch (mode) {
    case BodySendMode::none:
      return 0;
    case BodySendMode::streamed:
      return 1;
    case BodySendMode::buffered_partial:
      return 2;
    case BodySendMode::buffered:
      return 3;
    case BodySendMode::full_duplex_streamed:
    case BodySendMode::grpc:
      break;
  }
  return 4;
}

bool handles(const Link& link, Phase phase) {
  return link.dispatcher().phases().contains(phase) && !link.ended();
}

using Links = std::span<const std::unique_ptr<Link>>;

std::optional<BodySendMode> body_needed(Links links, Phase phase,
                                        std::optional<BodySendMode> ModeOverride::*member) {
  std::optional<BodySendMode> needed;
  for (const auto& link : links) {
    std::optional<BodySendMode> own = link->mode() ? (*link->mode()).*member : std::nullopt;
    if (!own && handles(*link, phase)) own = link->body_mode(phase);
    if (own && (!needed || strength(*own) > strength(*needed))) needed = own;
  }
  return needed;
}

std::optional<HeaderSendMode> headers_needed(Links links, Phase phase, bool names_links,
                                             std::optional<HeaderSendMode> ModeOverride::*member) {
  bool all_skip = true;
  bool any = false;
  for (const auto& link : links) {
    const auto own = link->mode() ? (*link->mode()).*member : std::nullopt;
    if (own == HeaderSendMode::send) return own;
    if (own) any = true;
    const bool named = names_links && phase == Phase::response_headers && !link->ended();
    if (!own && (named || handles(*link, phase))) all_skip = false;
  }
  return any && all_skip ? std::optional(HeaderSendMode::skip) : std::nullopt;
}

}  // namespace

ModeOverride mode_needed(Links links, bool names_links) {
  using Mode = ModeOverride;
  return {.response_header_mode = headers_needed(links, Phase::response_headers, names_links,
                                                 &Mode::response_header_mode),
          .request_body_mode = body_needed(links, Phase::request_body, &Mode::request_body_mode),
          .response_body_mode = body_needed(links, Phase::response_body, &Mode::response_body_mode),
          .request_trailer_mode = headers_needed(links, Phase::request_trailers, names_links,
                                                 &Mode::request_trailer_mode),
          .response_trailer_mode = headers_needed(links, Phase::response_trailers, names_links,
                                                  &Mode::response_trailer_mode)};
}

}  // namespace extproc::chain
