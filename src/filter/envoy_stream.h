#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extproc/header_mutation.h"
#include "extproc/headers.h"
#include "extproc/immediate_response.h"
#include "extproc/phase.h"
#include "extproc/response.h"
#include "filter/abi.h"
#include "filter/way.h"

namespace extproc::filter {

inline constexpr std::string_view kContentLength = "content-length";

/// An HTTP stream of Envoy's with the filter in it, as the callbacks show it. On its worker, from
/// http_filter_new to http_filter_destroy.
class EnvoyStream {
 public:
  explicit EnvoyStream(void* filter) : filter_(filter) {}

  void* filter() const { return filter_; }

  /// The headers, or trailers, of a phase: views, until the next change of them.
  void read_headers(Phase phase, std::vector<Header>& out) const;
  /// The request's headers, before they are changed: whom Envoy takes for a caller of gRPC.
  void note_request(std::span<const Header> headers);
  /// `told`: the headers, or trailers, where they are still as read_headers() read them; empty
  /// otherwise.
  void change_headers(Phase phase, const HeaderMutation& mutation,
                      std::span<const Header> told) const;
  void remove_header(Phase phase, std::string_view name) const;

  /// In the hook of a body: whether what it was called with is what Envoy keeps of it.
  bool received_is_kept(Phase body) const;
  /// What Envoy keeps of a body for all filters, in bytes.
  std::size_t kept_bytes(Phase body) const;
  /// What of a body lies there for this filter.
  std::size_t body_bytes(Phase body, const BodyPlace& place) const;
  /// The same bytes: where they lie in one piece a view of that, and else put together in `text`.
  std::string_view read_body(Phase body, const BodyPlace& place, std::string& text) const;
  void drop_body(Phase body, const BodyPlace& place) const;
  /// A part out of what Envoy keeps.
  std::string cut_kept(Phase body, std::size_t from, std::size_t bytes) const;
  /// In front of what lies there for this filter.
  void prepend_body(Phase body, const BodyPlace& place, std::string_view bytes) const;
  void append_body(Phase body, const BodyPlace& place, std::string_view bytes) const;
  /// What Envoy keeps of a body at most, in bytes; 0: no limit.
  std::size_t buffer_limit() const;

  /// As it is now; nothing where it is not there.
  std::optional<std::string> request_header(std::string_view name) const;
  void add_request_header(std::string_view name, std::string_view value) const;

  /// May call hooks of other filters, and destroy this one.
  void reply(const ImmediateResponse& response) const;
  void reply_head(std::span<const Header> headers) const;
  void reply_chunk(std::string_view bytes) const;
  void reply_end(std::span<const Header> trailers) const;
  void reset(std::string_view details) const;
  /// The same: what stopped in the direction of the phase goes on.
  void go_on(Phase phase) const;

  void clear_route_cache() const;
  void set_metadata(const ResponseExtras& extras) const;

 private:
  bool is_grpc_request() const;

  void* filter_;
  std::optional<bool> came_as_grpc_;
};

}  // namespace extproc::filter
