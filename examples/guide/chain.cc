// Two processors in one filter: the second sees what the first did.
#include <extproc/extproc.h>

#include <string>

namespace {

class Authenticate : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context& /*context*/,
                               extproc::Request& /*request*/,
                               extproc::HeadersResponse& response) override {
    const auto key = headers.value("x-api-key");
    if (!key) return response.respond(extproc::form_immediate_response(401, {}, "no key\n"));
    response.remove_header("x-api-key");
    response.set_header("x-tenant", "tenant-of-" + std::string(*key));
  }
};

class Route : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context& /*context*/,
                               extproc::Request& /*request*/,
                               extproc::HeadersResponse& response) override {
    response.set_header("x-shard", headers.value("x-tenant").value_or("none"));
    response.clear_route_cache();
  }
};

}  // namespace

int main() {
  extproc::Chain chain({extproc::Service::make<Authenticate>(), extproc::Service::make<Route>()});
  return extproc::serve(chain);
}
