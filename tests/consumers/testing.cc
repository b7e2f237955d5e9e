// A test of a user's: the test kit is there, links, and runs a processor.

#include <extproc/extproc.h>
#include <extproc/testing.h>

namespace kit = extproc::testing;

class Greeter : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse& response) override {
    response.set_header("x-greeting", "hello");
  }
};

int main() {
  Greeter greeter;
  const kit::AsEnvoyExtProc envoy(
      {.request_headers = kit::envoy_headers({{":method", "GET"}, {":path", "/"}})});
  const kit::ProcessResult result = envoy.process(greeter);
  const auto* answer = result.find(extproc::Phase::request_headers);
  return answer && kit::envoy_set_headers_to_dict(*answer).at("x-greeting") == "hello" ? 0 : 1;
}
