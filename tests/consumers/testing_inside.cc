// A test of a user's whose processor runs inside Envoy. docs/testing.md shows it.

#include <extproc/extproc.h>
#include <extproc/testing/inside_envoy.h>

#include <string>

namespace kit = extproc::testing;

class Greeter : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse& response) override {
    response.set_header("x-greeting", "hello");
  }
};

bool greets_the_upstream() {
  Greeter greeter;
  const kit::InsideEnvoy envoy(R"(
    processing_mode: {response_header_mode: SKIP}
    failure_mode_allow: true
  )");
  const kit::EnvoyResult result =
      envoy.run(greeter, {.request = {.headers = {{":method", "POST"}}, .body = {"a", "b"}}});
  const std::string* greeting = result.upstream_header("x-greeting");
  return greeting && *greeting == "hello" && result.upstream.body == "ab" &&
         result.caller.status == 200 && result.violations.empty();
}

int main() { return greets_the_upstream() ? 0 : 1; }
