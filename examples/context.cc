// Proves that no two requests are mixed up: what a caller says in x-context-id must come back in
// its own request's body, and the upstream's answer must be about this request's path. It fails its
// stream when they differ.
#include <extproc/extproc.h>

#include <boost/json/src.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

struct ContextId {
  std::string value;
};

// The member `path` of a JSON object; empty when there is none.
std::string path_in(std::string_view json) {
  boost::json::error_code error;
  const auto value = boost::json::parse(json, error);
  if (error || !value.is_object()) return {};
  const auto* path = value.as_object().if_contains("path");
  return path != nullptr && path->is_string() ? std::string(path->as_string()) : std::string();
}

class CtxExtProcService : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    auto& id = request.state<ContextId>().value;
    id = headers.value("x-context-id").value_or("");
    response.set_header("x-context-id", id);
  }

  void process_request_body(const extproc::HttpBody& body, extproc::Context&,
                            extproc::Request& request, extproc::BodyResponse&) override {
    const auto& id = request.state<ContextId>().value;
    if (!id.empty() && body.bytes() != id)
      throw std::runtime_error("the body is not the context id " + id);
  }

  void process_response_body(const extproc::HttpBody& body, extproc::Context&,
                             extproc::Request& request, extproc::BodyResponse& response) override {
    const auto& id = request.state<ContextId>().value;
    if (id.empty()) return;
    if (path_in(body.bytes()) != request.path()) {
      throw std::runtime_error("the response is not about the path " + std::string(request.path()));
    }
    response.set_header("x-context-id", id);
  }
};

}  // namespace

EXTPROC_EXPORT(CtxExtProcService)
