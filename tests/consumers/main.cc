// A program of a user's: it compiles with the public headers, links, and serves.

#include <extproc/extproc.h>

#include <chrono>
#include <iostream>
#include <utility>

class Greeter : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    response.set_header("x-greeting", request.id());
  }
};

int main() {
  extproc::Settings settings;
  settings.listen = "127.0.0.1:0";
  extproc::Server server(extproc::Service::make<Greeter>(), std::move(settings));
  server.start();
  const int port = server.port();
  server.shutdown(std::chrono::milliseconds(0));
  server.join();
  std::cout << server.name() << " " << EXTPROC_VERSION_STRING << " was served on port " << port
            << "\n";
  return port > 0 ? 0 : 1;
}
