#include "grpc/response_headers.h"

#include <algorithm>

namespace extproc::grpc {
namespace {

using http2::constant_header;
using http2::Header;

const Header kHttpOk = constant_header(":status", "200");
const Header kContentType = constant_header("content-type", "application/grpc");
const Header kAcceptEncoding = constant_header("grpc-accept-encoding", "identity");

constexpr std::array<std::string_view, 17> kNumbers = {
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"};

const Header& status_header(GrpcStatus status) {
  static const auto kHeaders = [] {
    std::array<Header, kNumbers.size()> headers;
    std::transform(kNumbers.begin(), kNumbers.end(), headers.begin(),
                   [](std::string_view number) { return constant_header("grpc-status", number); });
    return headers;
  }();
  return kHeaders.at(static_cast<std::size_t>(status));
}

}  // namespace

std::span<const Header> message_headers() {
  static const Header kHeaders[] = {kHttpOk, kContentType};
  return kHeaders;
}

std::span<const Header> method_not_allowed() {
  static const Header kHeaders[] = {constant_header(":status", "405"),
                                    constant_header("allow", "POST")};
  return kHeaders;
}

std::span<const Header> unsupported_media_type() {
  static const Header kHeaders[] = {constant_header(":status", "415"),
                                    constant_header("accept-post", "application/grpc")};
  return kHeaders;
}

StatusHeaders::StatusHeaders(Form form, GrpcStatus status, std::string_view encoded_message) {
  if (form != Form::trailers) {
    add(kHttpOk);
    add(kContentType);
  }
  add(status_header(status));
  if (!encoded_message.empty()) add(http2::passing_header("grpc-message", encoded_message));
  if (form == Form::trailers_only_encoding) add(kAcceptEncoding);
}

}  // namespace extproc::grpc
