// Digests a request (tenant, method, path, body), whose parts come in two phases, and tells
// upstream and caller the digest.
#include <extproc/extproc.h>

#include <string>

#include "sha256.h"

namespace {

struct Digest {
  std::string text;    // what is known so far
  std::string digest;  // empty until everything is
};

class DigestExtProcService : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    auto& state = request.state<Digest>();
    state.text.append(headers.value("x-tenant-id").value_or("unknown"));
    state.text.append(request.method()).append(request.path());
    // Without a body no other phase of the request comes.
    if (headers.end_of_stream()) complete(state, response);
  }

  void process_request_body(const extproc::HttpBody& body, extproc::Context&,
                            extproc::Request& request, extproc::BodyResponse& response) override {
    auto& state = request.state<Digest>();
    state.text.append(body.bytes());
    complete(state, response);
  }

  void process_response_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                                extproc::Request& request,
                                extproc::HeadersResponse& response) override {
    if (headers.end_of_stream()) tell_caller(request, response);
  }

  void process_response_body(const extproc::HttpBody&, extproc::Context&, extproc::Request& request,
                             extproc::BodyResponse& response) override {
    tell_caller(request, response);
  }

 private:
  static void complete(Digest& state, extproc::PhaseResponse& response) {
    state.digest = sha256(state.text);
    response.set_header("x-request-digest", state.digest);
  }

  static void tell_caller(extproc::Request& request, extproc::PhaseResponse& response) {
    const auto& digest = request.state<Digest>().digest;
    if (!digest.empty()) response.set_header("x-request-digest", digest);
  }
};

}  // namespace

EXTPROC_EXPORT(DigestExtProcService)
