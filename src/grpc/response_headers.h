#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "extproc/status.h"
#include "http2/session.h"

namespace extproc::grpc {

/// The headers of an answer that has messages.
std::span<const http2::Header> message_headers();

/// HTTP's answers to what is no gRPC: 405 and 415.
std::span<const http2::Header> method_not_allowed();
std::span<const http2::Header> unsupported_media_type();

/// The headers that carry a status, to be submitted at once: `encoded_message` is copied only then.
class StatusHeaders {
 public:
  enum class Form {
    trailers,
    trailers_only,           ///< the whole answer
    trailers_only_encoding,  ///< the same, which also says that only the identity encoding is
                             ///< understood
  };
  StatusHeaders(Form form, GrpcStatus status, std::string_view encoded_message);

  std::span<const http2::Header> get() const { return {headers_.data(), count_}; }

 private:
  void add(const http2::Header& header) { headers_[count_++] = header; }

  std::array<http2::Header, 5> headers_;
  std::size_t count_ = 0;
};

}  // namespace extproc::grpc
