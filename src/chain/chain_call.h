#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/local_reply.h"
#include "chain/made_body.h"
#include "chain/merged_mutation.h"
#include "chain/message_headers.h"
#include "exchange/ending.h"
#include "extproc/body.h"
#include "extproc/detail/dispatcher.h"
#include "extproc/headers.h"
#include "extproc/phase.h"
#include "extproc/response.h"
#include "rules/header_rules.h"

namespace extproc::chain {

struct ChainState;
using ChainLinks = std::vector<std::shared_ptr<const detail::Dispatcher>>;

/// Collects what a link writes piece by piece: in a chain it is sent when it is whole.
class CollectedResponse final : public detail::StreamedResponseSink {
 public:
  void head(int status, detail::HeaderPairs headers) override {
    response = ImmediateResponse{.status = status, .headers = std::move(headers)};
  }
  void chunk(std::string_view bytes) override { response.body.append(bytes); }
  void end(detail::HeaderPairs /*trailers*/) override {}

  ImmediateResponse response;
};

/// One message on its way through the processors of a chain: calls them in order, each with the
/// message as those before it changed it, and merges what they answer. Used again for later
/// messages of its request.
class ChainCall final : private detail::Completion, private rules::ViolationListener {
 public:
  /// Both must outlive it.
  ChainCall(const ChainLinks& links, ChainState& state) : links_(links), state_(state) {}

  /// Takes a message through all links. Throws, or hands to the completion, what a link threw.
  detail::Step start(const detail::Invocation& outer);

  /// Takes an immediate response of `link`, given in the middle of a body, through the others.
  /// Afterwards it is in `outer.body_response`.
  detail::Step start_reply(const detail::Invocation& outer, std::size_t link,
                           ImmediateResponse response);

 private:
  /// What comes next: a link, and what it is called for.
  struct Place {
    std::size_t index = 0;      // in the order of the direction
    bool body_follows = false;  // the link at index - 1 may be due for a body
  };

  void complete(std::exception_ptr failure) noexcept override;
  void set_fallback(const Fallback& fallback) noexcept override {
    outer_.completion->set_fallback(fallback);
  }
  void on_violation(Rule rule, std::string_view field) override;

  void begin(const detail::Invocation& outer);
  detail::Step go();
  bool next();
  bool enter(std::size_t link, Phase phase);
  bool body_due(std::size_t link) const;
  detail::Step call_link();
  detail::Step start_link(detail::Invocation& invocation);
  void absorb(const std::exception_ptr& failure);
  PhaseOutcome take_ending(const exchange::Ending& ending);
  void take_changes(PhaseResponse& response);
  void take_clear_route_cache(const PhaseResponse& response);
  void take_mutation(HeaderMutation& mutation, bool replaces_message);
  void take_extras(const PhaseResponse& response);
  void take_override(const PhaseResponse& response);
  void take_body(BodyResponse& response);
  void take_replacement(HeadersResponse& response);
  void take_immediate(ImmediateResponse response);
  void name_link();
  void set_header(std::string_view name, std::string_view value);
  void finish();
  void finish_mode();
  PhaseResponse& outer_response();
  PhaseResponse& link_response();
  bool in_reply() const { return reply_.has_value(); }
  MessageHeaders& headers() { return reply_ ? reply_->headers() : headers_; }
  MergedMutation& changes() { return reply_ ? reply_->changes() : changes_; }
  bool request_direction() const { return !in_reply() && is_request_phase(outer_.phase); }
  std::size_t link_at(std::size_t index) const;

  const ChainLinks& links_;
  ChainState& state_;
  detail::Invocation outer_{};

  // The message.
  MessageHeaders headers_;
  bool end_of_stream_ = false;
  std::string_view body_;
  std::string own_body_;  // of body_, once a link changed it
  HttpBody::Flags body_flags_{};

  // What came of it so far.
  MergedMutation changes_;
  BodyChange body_change_ = BodyChange::none;
  bool clear_route_cache_ = false;
  bool mode_asked_ = false;
  std::optional<std::size_t> replacer_;  // the link that replaced the message's body
  std::optional<LocalReply> reply_;
  std::exception_ptr failure_;
  bool stopped_ = false;

  // The link that is being called.
  Place place_;
  std::size_t link_ = 0;
  Phase phase_ = Phase::request_headers;
  std::chrono::steady_clock::time_point start_;
  HttpHeaders link_headers_;
  HttpBody link_body_;
  HttpTrailers link_trailers_;
  HeadersResponse headers_response_;
  BodyResponse body_response_;
  TrailersResponse trailers_response_;
  CollectedResponse collected_;
  std::vector<std::unique_ptr<MadeBody>> made_bodies_;
};

}  // namespace extproc::chain
