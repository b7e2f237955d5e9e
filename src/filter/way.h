#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "extproc/phase.h"
#include "extproc/processing_mode.h"
#include "filter/modes.h"

namespace extproc::filter {

/// Where what has come of a body, and not gone on, lies in Envoy.
struct BodyPlace {
  /// Some in what the hook that runs was called with, apart from what Envoy keeps.
  bool received = false;
  /// Of what Envoy keeps for all filters, the first so many bytes have gone on from here: filters
  /// behind this one hold them, as the router does where it may try again.
  std::size_t gone = 0;
};

/// Pieces of a body, in their order.
class Pieces {
 public:
  bool empty() const { return first_ == all_.size(); }
  std::size_t size() const { return all_.size() - first_; }
  const std::string& push(std::string_view piece) { return all_.emplace_back(piece); }
  /// There must be one.
  std::string& last() { return all_.back(); }
  /// There must be one.
  std::string pop() {
    std::string piece = std::move(all_[first_]);
    if (++first_ == all_.size()) {
      all_.clear();
      first_ = 0;
    }
    return piece;
  }

 private:
  std::vector<std::string> all_;
  std::size_t first_ = 0;
};

/// One direction of an HTTP stream on its way through the filter: what has come of it, what the
/// exchange has been told of that and has answered, and what of it is with the filter.
struct Way {
  explicit Way(bool is_request)
      : headers(is_request ? Phase::request_headers : Phase::response_headers),
        body(is_request ? Phase::request_body : Phase::response_body),
        trailers(is_request ? Phase::request_trailers : Phase::response_trailers) {}

  const Phase headers;
  const Phase body;
  const Phase trailers;

  /// What the exchange is told of it, as it is now.
  SentOf sent{};

  // What came.
  bool headers_came = false;
  bool body_came = false;
  bool trailers_came = false;
  /// Nothing follows the headers.
  bool headers_end = false;
  /// Nothing follows.
  bool ended = false;

  // What the exchange was told.
  bool headers_told = false;
  bool whole_told = false;  // of a body that is told as one
  bool end_told = false;
  bool attributes_told = false;
  bool trailers_told = false;

  // What it has not answered.
  bool headers_owed = false;
  std::size_t bodies_owed = 0;
  bool trailers_owed = false;

  /// What of a body was taken from Envoy, and is not answered.
  Pieces unanswered{};
  /// The last of those has not been told: it came while one before it was not answered.
  bool untold = false;
  /// What is to go on, before whatever Envoy has.
  std::string out{};
  /// An answer to headers put something in place of the whole message: what comes is dropped.
  bool replaced = false;

  /// The exchange is told of the headers: they are as they were read.
  bool telling_headers = false;
  /// The hook of the body runs.
  bool in_body_hook = false;
  BodyPlace place{};
  /// So many bytes, the last of what Envoy keeps, have not gone on from here.
  std::size_t left = 0;
  /// While it goes on: so many bytes that the router keeps are out of what Envoy does.
  std::size_t hidden = 0;
  /// So many bytes of its body have gone on while it was stopped.
  std::size_t body_went = 0;
  /// More than Envoy's limit, where it stops reading at that and says nothing.
  bool is_full = false;
  /// What was told last still lies with Envoy, where it stays if it is not changed.
  bool in_place = false;
  /// What Envoy has of the body in the hook that runs has been told and answered, and goes on.
  bool passes_chunk = false;
  /// Envoy was told to stop, and waits to be told to go on.
  bool stopped = false;
  /// Where handlers wait: its headers have gone on, or go.
  bool went = false;

  /// Envoy lets it go on.
  void goes() {
    stopped = is_full = false;
    left = 0;
  }
  bool buffers() const {
    return sent.body == BodySendMode::buffered || sent.body == BodySendMode::buffered_partial;
  }
  /// Its body has all come.
  bool body_ended() const { return ended || trailers_came; }
  bool owes() const { return headers_owed || bodies_owed > 0 || trailers_owed; }
};

}  // namespace extproc::filter
