#pragma once

#include <concepts>
#include <coroutine>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "extproc/async.h"
#include "extproc/coding.h"

namespace extproc::detail {

/// What a BodyStream is over, and one over something else.
class WrappedBody {
 public:
  static BodyChannel& channel(BodyStream& body) { return body.channel_; }
  static BodyStream over(BodyChannel& channel, Phase phase) { return BodyStream(channel, phase); }
};

}  // namespace extproc::detail

namespace extproc::coding {

namespace detail {

/// A body that is read decoded and written encoded again.
class RecodedBody final : public extproc::detail::BodyChannel {
 public:
  RecodedBody(BodyStream& body, Coding coding, DecodeLimits limits)
      : inner_(extproc::detail::WrappedBody::channel(body)),
        decoder_(coding, limits),
        encoder_(coding) {}

  void next_wanted() override {
    if (wrote_) send(Flush::now);
    wrote_ = false;
    inner_.next_wanted();
  }
  bool ready() override { return inner_.ready(); }
  void wait(std::coroutine_handle<> handler) override { inner_.wait(handler); }
  /// A chunk can decode to nothing yet.
  std::optional<HttpBody> next() override {
    const std::optional<HttpBody> chunk = inner_.next();
    touched_ = true;
    plain_.clear();
    if (!chunk) {
      if (!ended_) decoder_.finish();
      ended_ = true;
      return std::nullopt;
    }
    decoder_.decode(chunk->bytes(), plain_);
    return HttpBody(plain_, chunk->end_of_stream(), chunk->flags());
  }
  bool writable() override { return inner_.writable(); }
  void wait_writable(std::coroutine_handle<> handler) override { inner_.wait_writable(handler); }
  void set_pace(const Pace& pace) override { inner_.set_pace(pace); }
  void check_open() override { inner_.check_open(); }
  void write(std::string_view bytes, bool /*compressed*/) override {
    touched_ = wrote_ = true;
    encoder_.encode(bytes, Flush::none, out_);
  }
  void finish() override {
    if (std::exchange(finished_, true)) return;
    send(Flush::end);
    inner_.finish();
  }
  std::optional<BodySendMode> mode() const override { return inner_.mode(); }
  BodyResponse& response() override { return inner_.response(); }

  /// Its handler has left it as it is.
  bool untouched() const { return !touched_; }
  bool ended() const { return ended_ || finished_; }

 private:
  void send(Flush flush) {
    encoder_.encode({}, flush, out_);
    if (!out_.empty()) inner_.write(out_, false);
    out_.clear();
  }

  extproc::detail::BodyChannel& inner_;
  Decoder decoder_;
  Encoder encoder_;
  std::string plain_, out_;
  bool touched_ = false, wrote_ = false, ended_ = false, finished_ = false;
};

}  // namespace detail

/// The processor P with handlers over whole bodies (stream_request_body, stream_response_body),
/// which see them plain, whatever content-encoding they have; what they write is encoded again:
///
///   EXTPROC_EXPORT_AS(Mask, [](const OwnSettings& own) {
///     return Service::make<coding::Decoded<Mask>>(own);
///   })
///
/// P is as it is without it, and not final. What is different:
/// - The headers of such a body say that it changes, as by prepare(), before P's own handler of
///   them. A body that must not be changed, or whose encoding is unknown or stacked, passes without
///   P's handler of it; one without encoding is as without this.
/// - A chunk can be empty where what came decodes to nothing yet. What is written for one leaves
///   with the next read, flushed, so that events are not delayed.
/// - A handler that returns early lets the rest through, decoded and encoded. One that neither
///   reads nor writes lets the bytes through as they came.
/// - A body that cannot be decoded, or is over the limits (`DecodeLimits decode_limits() const` of
///   P, where it has it), is CodingError in P's handler. Let through, it is a 400 where it is the
///   request's, and else ends the stream.
/// - In STREAMED mode the end of what is written is lost where trailers follow the body.
template <class P>
class Decoded : public P {
  static_assert(std::derived_from<P, AsyncProcessor>, "Decoded<P> is for an AsyncProcessor");
  static constexpr PhaseSet kStreamed = extproc::detail::streamed_phases<P>();
  static_assert(!kStreamed.empty(), "P has neither stream_request_body nor stream_response_body");

 public:
  using P::P;

  PhaseSet handled_phases() const {
    PhaseSet phases = extproc::detail::handled_phases<AsyncProcessor, Task<>>(
        static_cast<const P&>(*this), kStreamed);
    if ((phases & kStreamed).contains(Phase::request_body)) phases.insert(Phase::request_headers);
    if ((phases & kStreamed).contains(Phase::response_body)) {
      phases.insert(Phase::response_headers);
    }
    return phases;
  }
  std::string name() const override {
    if constexpr (std::is_same_v<decltype(&P::name), std::string (AsyncProcessor::*)() const>) {
      return extproc::detail::class_name(typeid(P));
    } else {
      return P::name();
    }
  }

  Task<> process_request_headers(const HttpHeaders& headers, Context& context, Request& request,
                                 HeadersResponse& response) override {
    prepare_for(Phase::request_body, headers, request.template state<Codings>().request, response);
    co_await P::process_request_headers(headers, context, request, response);
  }
  Task<> process_response_headers(const HttpHeaders& headers, Context& context, Request& request,
                                  HeadersResponse& response) override {
    prepare_for(Phase::response_body, headers, request.template state<Codings>().response,
                response);
    co_await P::process_response_headers(headers, context, request, response);
  }
  Task<> stream_request_body(BodyStream& body, Context& context, Request& request) override {
    const std::optional<Coding> coding = request.template state<Codings>().request;
    if (!coding) co_return;
    if (coding == Coding::identity) {
      co_await P::stream_request_body(body, context, request);
      co_return;
    }
    detail::RecodedBody channel(body, *coding, limits());
    BodyStream plain = extproc::detail::WrappedBody::over(channel, body.phase());
    try {
      co_await P::stream_request_body(plain, context, request);
      co_await end(plain, channel);
    } catch (const CodingError& error) {
      body.response().respond({.status = 400, .body = error.what()});
    }
  }
  Task<> stream_response_body(BodyStream& body, Context& context, Request& request) override {
    const std::optional<Coding> coding = request.template state<Codings>().response;
    if (!coding) co_return;
    if (coding == Coding::identity) {
      co_await P::stream_response_body(body, context, request);
      co_return;
    }
    detail::RecodedBody channel(body, *coding, limits());
    BodyStream plain = extproc::detail::WrappedBody::over(channel, body.phase());
    co_await P::stream_response_body(plain, context, request);
    co_await end(plain, channel);
  }

 private:
  /// Nothing: the body passes. Where no headers are sent, nobody knows of an encoding.
  struct Codings {
    std::optional<Coding> request = Coding::identity, response = Coding::identity;
  };

  static void prepare_for(Phase phase, const HttpHeaders& headers, std::optional<Coding>& coding,
                          HeadersResponse& response) {
    if (!kStreamed.contains(phase) || headers.end_of_stream()) return;
    coding = prepare(headers, response) ? coding_of(headers) : std::nullopt;
  }
  DecodeLimits limits() const {
    if constexpr (requires(const P& p) {
                    { p.decode_limits() } -> std::same_as<DecodeLimits>;
                  }) {
      return P::decode_limits();
    } else {
      return {};
    }
  }
  /// What P's handler has left of it.
  static Task<> end(BodyStream& plain, detail::RecodedBody& channel) {
    if (channel.untouched() || plain.response().immediate_response()) co_return;
    while (!channel.ended()) {
      auto chunk = co_await plain.read();
      if (chunk) plain.write(chunk->bytes());
    }
    plain.finish();
  }
};

}  // namespace extproc::coding
