#include <extproc/extproc.h>

#include <string>

/// Reads whole bodies, and lets upgrades, CONNECT and calls of gRPC pass: they may have no end.
class UpgradesPass : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context& /*context*/,
                               extproc::Request& /*request*/,
                               extproc::HeadersResponse& response) override {
    constexpr auto kNone = extproc::BodySendMode::none;
    if (headers.value("upgrade") || headers.value(":method") == "CONNECT" ||
        headers.value("content-type").value_or("").starts_with("application/grpc"))
      response.override_mode({.request_body_mode = kNone, .response_body_mode = kNone});
  }

  void process_request_body(const extproc::HttpBody& body, extproc::Context& /*context*/,
                            extproc::Request& /*request*/,
                            extproc::BodyResponse& response) override {
    response.set_header("x-request-bytes", std::to_string(body.bytes().size()));
  }
};

EXTPROC_EXPORT(UpgradesPass)
