// Names that were replaced: each still compiles, and the compiler says what to write in its place.
// The comments are what it says, in their order.
#include <extproc/extproc.h>

class Older : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                               extproc::Request&, extproc::HeadersResponse& response) override {
    // deprecated: use value(name)
    if (headers.get_header("x-one")) response.clear_route_cache();
    // deprecated: use values(name)
    for (const auto value : headers.get_all("x-many")) response.append_header("x-all", value);
    // deprecated: use is_route_cache_cleared()
    if (response.clears_route_cache()) response.remove_header("x-one");
  }

  void process_request_body(const extproc::HttpBody& body, extproc::Context&, extproc::Request&,
                            extproc::BodyResponse& response) override {
    // deprecated: use bytes()
    response.replace_body(body.body());
    // deprecated: use set_grpc_message_compressed()
    response.grpc_message_compressed();
    // deprecated: use is_route_cache_cleared()
    if (response.clears_route_cache()) response.clear_body();
  }
};

// deprecated: it grows with Envoy's rules
constexpr unsigned kRules = extproc::kRuleCount;

int main() { return kRules == 0 ? 1 : extproc::serve<Older>(); }
