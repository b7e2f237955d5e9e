// A test of a user's: the test kit is there, links, and runs a processor. docs/testing.md shows it.

#include <extproc/extproc.h>
#include <extproc/testing.h>
#include <extproc/testing/envoy.h>

#include <string>

namespace kit = extproc::testing;

class Greeter : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse& response) override {
    response.set_header("x-greeting", "hello");
  }
};

// What the processor answers to one phase.
bool answers_the_headers() {
  Greeter greeter;
  const kit::AsEnvoyExtProc envoy(
      {.request_headers = kit::envoy_headers({{":method", "GET"}, {":path", "/"}})});
  const kit::ProcessResult result = envoy.process(greeter);
  const auto* answer = result.find(extproc::Phase::request_headers);
  return answer && kit::envoy_set_headers_to_dict(*answer).at("x-greeting") == "hello";
}

// What becomes of a whole exchange in Envoy, with the filter's own configuration.
bool greets_the_upstream() {
  Greeter greeter;
  const kit::Envoy envoy(R"(
    processing_mode: {request_body_mode: BUFFERED, response_header_mode: SKIP}
    failure_mode_allow: false
  )");
  const kit::EnvoyResult result =
      envoy.run(greeter, {.request = {.headers = {{":method", "POST"}}, .body = {"a", "b"}},
                          .upstream = {.headers = {{":status", "201"}}, .body = {"done"}}});
  const std::string* greeting = result.upstream_header("x-greeting");
  return greeting && *greeting == "hello" && result.upstream.body == "ab" &&
         result.caller.status == 201 && result.refusals.empty();
}

int main() { return answers_the_headers() && greets_the_upstream() ? 0 : 1; }
