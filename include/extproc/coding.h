#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "extproc/body_stream.h"
#include "extproc/export.h"
#include "extproc/headers.h"
#include "extproc/response.h"
#include "extproc/task.h"

/// Bodies with a content-encoding, of the component extproc::coding (CMake) or extproc-coding
/// (pkg-config), which links zlib, brotli and zstd: decoded and encoded chunk by chunk, with the
/// headers that tell of it. What does not include this header needs none of them.
///
///   Task<> process_response_headers(…) { coding::prepare(headers, response); co_return; }
///   Task<> stream_response_body(BodyStream& body, …) {
///     coding::PlainBody plain(body, coding::coding_of(encoding));
///     while (auto chunk = co_await plain.read()) plain.write(transformed(*chunk));
///     plain.finish();
///   }
namespace extproc::coding {

enum class Coding : std::uint8_t { identity, gzip, deflate, br, zstd };

/// Of a `content-encoding` header; identity where it is empty. Nothing for what is unknown, and for
/// several on one another: such a body is left alone.
EXTPROC_API std::optional<Coding> coding_of(std::string_view content_encoding);
/// Of all headers of that name together.
EXTPROC_API std::optional<Coding> coding_of(const HeaderView& headers);
/// As in the header.
EXTPROC_API std::string_view name_of(Coding coding);

/// A body that cannot be decoded: bad, cut off, or too large. The text says which.
class EXTPROC_API CodingError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct DecodeLimits {
  /// Of all that a body becomes.
  std::uint64_t bytes = std::uint64_t{16} << 20;
  /// How many times as large as what was read, beyond the first MiB. gzip can have 1,032, br and
  /// zstd a million; texts have at most about 50.
  std::uint64_t ratio = 200;
};

/// Decodes one body. Its memory is that of the coding's window: 32 KiB, of br at most 16 MiB, of
/// zstd at most 8 MiB (RFC 9659). For one thread at a time.
class EXTPROC_API Decoder {
 public:
  explicit Decoder(Coding coding, DecodeLimits limits = {});
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  /// Appends to `out` what `bytes` become; what can be decoded of them already is. Several members
  /// of gzip and frames of zstd behind one another are one body; deflate is taken with and without
  /// the header of zlib. Throws CodingError; of limits before they are passed.
  void decode(std::string_view bytes, std::string& out);
  /// Nothing follows. Throws CodingError where something is missing; nothing at all is no body, and
  /// right.
  void finish();

  class Engine;

 private:
  std::unique_ptr<Engine> engine_;
};

enum class Flush : std::uint8_t {
  /// What compresses best.
  none,
  /// All that was given can be decoded from what was written: behind an event.
  now,
  /// The end of the body.
  end,
};

/// Encodes one body. For one thread at a time.
class EXTPROC_API Encoder {
 public:
  /// `level` is the coding's own; 0: what servers use on the fly (gzip 6, br 4, zstd 3). Throws
  /// Error for one that it has not.
  explicit Encoder(Coding coding, int level = 0);
  ~Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;

  /// Appends to `out`. Nothing may follow the end.
  void encode(std::string_view bytes, Flush flush, std::string& out);

  class Engine;

 private:
  std::unique_ptr<Engine> engine_;
};

/// A whole body.
EXTPROC_API std::string decoded(Coding coding, std::string_view body, DecodeLimits limits = {});
EXTPROC_API std::string encoded(Coding coding, std::string_view body, int level = 0);

/// Whether a body can be changed at all: not where cache-control says no-transform, not a part of
/// one (content-range, 206), and not one with an unknown or a stacked encoding.
EXTPROC_API bool is_changeable(const HttpHeaders& headers);

namespace detail {
/// The weak form of an entity tag; the same where it is weak.
EXTPROC_API std::string weak_tag(std::string_view tag);
EXTPROC_API void tell_changed(const HttpHeaders& headers, HeaderMutation& mutation);
}  // namespace detail

/// Has the headers right for a body that a handler rewrites in the encoding that it has: without
/// content-length and what is of the bytes as they were (content-md5, content-digest, repr-digest,
/// digest, accept-ranges), a strong etag made weak. In the handler of the headers; Envoy takes no
/// changes later in the streamed modes. Nothing, and false, where is_changeable() is not.
inline bool prepare(const HttpHeaders& headers, HeadersResponse& response) {
  if (!is_changeable(headers)) return false;
  detail::tell_changed(headers, response.header_mutation());
  return true;
}
/// The same for a body that gets the encoding `to`, which content-encoding and vary say then.
inline bool prepare(const HttpHeaders& headers, HeadersResponse& response, Coding to) {
  if (!prepare(headers, response)) return false;
  if (to == Coding::identity) {
    response.remove_header("content-encoding");
  } else {
    response.set_header("content-encoding", name_of(to));
  }
  response.append_header("vary", "accept-encoding");
  return true;
}

/// A BodyStream whose bytes are decoded as they come, and encoded as they go; what is written for
/// one chunk leaves with it, flushed, so that events are not delayed.
class PlainBody {
 public:
  /// `body` lives as long as this. Nothing as encoding is taken for identity.
  explicit PlainBody(BodyStream& body, std::optional<Coding> coding, DecodeLimits limits = {})
      : PlainBody(body, coding, coding.value_or(Coding::identity), limits) {}
  PlainBody(BodyStream& body, std::optional<Coding> from, Coding to, DecodeLimits limits = {})
      : body_(body), decoder_(from.value_or(Coding::identity), limits), encoder_(to) {}

  /// As BodyStream::read(), decoded; chunks that decode to nothing yet are not given. Throws
  /// CodingError too: the handler answers, or lets it through, which ends the stream.
  Task<std::optional<std::string_view>> read() {
    flush();
    while (true) {
      auto chunk = co_await body_.read();
      if (!chunk) break;
      plain_.clear();
      decoder_.decode(chunk->bytes(), plain_);
      if (!plain_.empty()) co_return std::optional<std::string_view>(plain_);
    }
    decoder_.finish();
    co_return std::nullopt;
  }

  /// Goes on with what else is written before the next read.
  void write(std::string_view plain) {
    written_ = true;
    encoder_.encode(plain, Flush::none, out_);
  }

  /// The end of what is written: to be called once, behind the last write. What is still to come of
  /// the body is dropped. In STREAMED mode a body that trailers follow loses it, since nothing can
  /// be written behind its last chunk there.
  void finish() {
    encoder_.encode({}, Flush::end, out_);
    send();
    body_.finish();
  }

 private:
  void flush() {
    if (!written_) return;
    written_ = false;
    encoder_.encode({}, Flush::now, out_);
    send();
  }
  void send() {
    if (!out_.empty()) body_.write(out_);
    out_.clear();
  }

  BodyStream& body_;
  Decoder decoder_;
  Encoder encoder_;
  std::string plain_, out_;
  bool written_ = false;
};

/// For a handler over chunks, or the whole body in BUFFERED mode: `change(std::string& plain)` sees
/// and changes what is decoded. Throws CodingError.
template <class Change>
void change_body(const HttpBody& body, Coding coding, BodyResponse& response, Change&& change,
                 DecodeLimits limits = {}) {
  std::string plain = decoded(coding, body.bytes(), limits);
  std::forward<Change>(change)(plain);
  response.replace_body(encoded(coding, plain));
}

}  // namespace extproc::coding
