#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "extproc/header_mutation.h"
#include "extproc/immediate_response.h"
#include "extproc/version.h"

namespace extproc {

/// What becomes of a body: `envoy.service.ext_proc.v3.BodyMutation`.
enum class BodyChange : std::uint8_t { none, replace, clear };

/// What every phase's answer can do. A fresh one is handed to each handler; left alone it means
/// "continue, change nothing". All arguments are copied. Used by one handler at a time.
class EXTPROC_API PhaseResponse {
 public:
  PhaseResponse(const PhaseResponse&) = delete;
  PhaseResponse& operator=(const PhaseResponse&) = delete;

  /// Sets a header to exactly this value: it overwrites, and a repeated header becomes one.
  void set_header(std::string_view name, std::string_view value) { mutation_.set(name, value); }
  void set_headers(std::span<const std::pair<std::string_view, std::string_view>> headers);
  void set_headers(std::initializer_list<std::pair<std::string_view, std::string_view>> headers) {
    set_headers(std::span(headers.begin(), headers.size()));
  }
  /// Adds an entry of the header, besides those that exist.
  void append_header(std::string_view name, std::string_view value) {
    mutation_.append(name, value);
  }
  /// Removes every entry of the header. Envoy refuses it for `host` and pseudo-headers.
  void remove_header(std::string_view name) { mutation_.remove(name); }
  void remove_headers(std::span<const std::string_view> names);
  void remove_headers(std::initializer_list<std::string_view> names) {
    remove_headers(std::span(names.begin(), names.size()));
  }

  /// Answers the caller at once when the handler returns; whatever else this response was told is
  /// dropped.
  void respond(ImmediateResponse response) { immediate_ = std::move(response); }

  const HeaderMutation& header_mutation() const { return mutation_; }
  HeaderMutation& header_mutation() { return mutation_; }
  const std::optional<ImmediateResponse>& immediate_response() const { return immediate_; }

  /// Makes it fresh again; memory is kept for the next use.
  void reset();

 protected:
  PhaseResponse() = default;
  ~PhaseResponse() = default;

 private:
  HeaderMutation mutation_;
  std::optional<ImmediateResponse> immediate_;
};

/// The answer to request or response headers: `envoy.service.ext_proc.v3.HeadersResponse`.
class EXTPROC_API HeadersResponse : public PhaseResponse {
 public:
  /// Has Envoy choose the route again, with the headers as changed here. Envoy heeds it in the
  /// request direction only, and only together with a header mutation.
  void clear_route_cache(bool clear = true) { clear_route_cache_ = clear; }
  /// Replaces headers and body at once (CONTINUE_AND_REPLACE): Envoy sends no body or trailers of
  /// this direction. The original content-length is dropped by Envoy.
  void continue_and_replace(std::string body);

  bool clears_route_cache() const { return clear_route_cache_; }
  const std::optional<std::string>& replacement() const { return replacement_; }
  void reset();

 private:
  bool clear_route_cache_ = false;
  std::optional<std::string> replacement_;
};

/// The answer to a request or response body: `envoy.service.ext_proc.v3.BodyResponse`. Header
/// changes count in the BUFFERED and BUFFERED_PARTIAL modes only; Envoy ignores them in the
/// streamed ones.
class EXTPROC_API BodyResponse : public PhaseResponse {
 public:
  /// Sends `body` on in place of what came. In BUFFERED mode content-length is set right in the
  /// same answer.
  void replace_body(std::string_view body);
  /// Sends an empty body on.
  void clear_body();
  /// As in HeadersResponse.
  void clear_route_cache(bool clear = true) { clear_route_cache_ = clear; }

  BodyChange body_change() const { return change_; }
  std::string_view body() const { return body_; }
  bool clears_route_cache() const { return clear_route_cache_; }
  void reset();

 private:
  BodyChange change_ = BodyChange::none;
  bool clear_route_cache_ = false;
  std::string body_;
};

/// The answer to request or response trailers: `envoy.service.ext_proc.v3.TrailersResponse`.
class EXTPROC_API TrailersResponse : public PhaseResponse {
 public:
  TrailersResponse() = default;
  using PhaseResponse::reset;
};

}  // namespace extproc
