#include "processors.h"

#include <cstddef>
#include <string>

namespace bench {
namespace {

constexpr std::size_t kReplacementBytes = std::size_t{1} << 20;

class Headers : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    response.set_header("x-bench-request", request.id());
  }
  void process_response_headers(const extproc::HttpHeaders&, extproc::Context&,
                                extproc::Request& request,
                                extproc::HeadersResponse& response) override {
    response.set_header("x-bench-response", request.id());
  }
};

/// Has nothing to do with the response.
class RequestOnly final : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    response.set_header("x-bench-request", request.id());
  }
};

/// Replaces the whole body by another of the same size.
class Buffered final : public Headers {
 public:
  void process_request_body(const extproc::HttpBody&, extproc::Context&, extproc::Request&,
                            extproc::BodyResponse& response) override {
    response.replace_body(replacement_);
  }

 private:
  std::string replacement_ = std::string(kReplacementBytes, 'r');
};

/// Sees each chunk and leaves it alone; in FULL_DUPLEX_STREAMED that sends it on.
class Streamed final : public Headers {
 public:
  void process_request_body(const extproc::HttpBody&, extproc::Context&, extproc::Request&,
                            extproc::BodyResponse&) override {}
};

/// What most processors do with a body: look at it.
template <class Base>
class LooksAtBodies : public Base {
 public:
  void process_request_body(const extproc::HttpBody&, extproc::Context&, extproc::Request&,
                            extproc::BodyResponse&) override {}
  void process_response_body(const extproc::HttpBody&, extproc::Context&, extproc::Request&,
                             extproc::BodyResponse&) override {}
};

class Bodies final : public LooksAtBodies<Headers> {};

template <std::size_t number>
class Numbered : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    response.set_header(request_name_, request.id());
  }
  void process_response_headers(const extproc::HttpHeaders&, extproc::Context&,
                                extproc::Request& request,
                                extproc::HeadersResponse& response) override {
    response.set_header(response_name_, request.id());
  }

 private:
  std::string request_name_ = "x-bench-request-" + std::to_string(number);
  std::string response_name_ = "x-bench-response-" + std::to_string(number);
};

// A chain wants each of its processors to have its own name, which is that of the class.
class First final : public LooksAtBodies<Numbered<1>> {};
class Second final : public LooksAtBodies<Numbered<2>> {};
class Third final : public LooksAtBodies<Numbered<3>> {};
class Fourth final : public LooksAtBodies<Numbered<4>> {};
class Fifth final : public LooksAtBodies<Numbered<5>> {};
class Sixth final : public LooksAtBodies<Numbered<6>> {};

}  // namespace

std::optional<extproc::Service> make_service(std::string_view variant) {
  if (variant == "headers") return extproc::Service::make<Headers>();
  if (variant == "bodies") return extproc::Service::make<Bodies>();
  if (variant == "request-only") return extproc::Service::make<RequestOnly>();
  if (variant == "buffered") return extproc::Service::make<Buffered>();
  if (variant == "streamed" || variant == "fds") return extproc::Service::make<Streamed>();
  return std::nullopt;
}

std::vector<extproc::Service> make_six() {
  using extproc::Service;
  return {Service::make<First>(),  Service::make<Second>(), Service::make<Third>(),
          Service::make<Fourth>(), Service::make<Fifth>(),  Service::make<Sixth>()};
}

}  // namespace bench
