#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/counters.h"
#include "base/logger.h"
#include "exchange/kept_message.h"
#include "exchange/streamed_reply.h"
#include "exchange/watch.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/host.h"
#include "extproc/needs.h"

namespace extproc::detail {
struct EventLoop;
}

namespace extproc::exchange {

using Clock = host::Clock;

/// What one handler call works on; reused from call to call, so that its memory is allocated once.
struct Scratch {
  HttpHeaders headers{};
  HttpBody body{};
  HttpTrailers trailers{};
  HeadersResponse headers_response{};
  BodyResponse body_response{};
  TrailersResponse trailers_response{};
  /// Where request headers may be answered piece by piece.
  std::optional<StreamedReply> streamed_reply{};
  /// The message, where it must outlive the call that delivered it.
  KeptMessage message{};
  /// For putting a value together.
  std::string text{};
};

/// Work that was not run for want of time, until it is told.
struct Refusals {
  std::uint64_t count = 0;
  std::optional<Clock::time_point> told;
};

class ProcessorExchange;

/// What all exchanges of one processor on one thread share. It outlives them.
struct Environment {
  const detail::Dispatcher& dispatcher;
  const host::Settings& settings;
  const Logger& logger;
  Counters& counters;
  /// Null where no handler suspends.
  detail::EventLoop* loop = nullptr;
  /// Null where nobody looks on.
  Watch* watch = nullptr;
  /// Of a processor of a chain: what is counted of it besides, and the chain's name.
  LinkCounters* link = nullptr;
  std::string_view chain_name{};
  /// Of a chain: what is counted of its processors.
  std::vector<LinkCounters> links = std::vector<LinkCounters>(dispatcher.links().size());

  /// Used by the handlers that do not suspend, one at a time.
  Scratch scratch{};
  /// For those that do: each holds one from its message to its answer, so that an idle stream holds
  /// none.
  std::vector<std::unique_ptr<Scratch>> spare_scratches{};

  Refusals refusals{};
  /// What the processor states; of a chain, what its processors state is theirs.
  const Needs needs = dispatcher.links().empty() ? dispatcher.needs() : Needs{};
  /// In one direction at least.
  const bool headers_wait =
      needs.request_headers_wait_for_body || needs.response_headers_wait_for_body;
  /// It has a handler of a body, and it has not been told that none is sent.
  bool looks_for_bodies = dispatcher.phases().contains(Phase::request_body) ||
                          dispatcher.phases().contains(Phase::response_body);
  /// Those that are over for their hosts though a handler of them still runs.
  std::unordered_set<const ProcessorExchange*> outlived{};

  std::unique_ptr<Scratch> take_scratch();
  /// Takes it back; null is nothing to take.
  void give_back(std::unique_ptr<Scratch> returned);
};

}  // namespace extproc::exchange
