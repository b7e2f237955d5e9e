// A program of a user's that runs processors on header maps of its own; see map_host.h.

#include <extproc/extproc.h>

#include <string>

#include "map_host.h"

namespace {

extproc::Handlers greeter() {
  extproc::Handlers handlers("greeter");
  handlers.process<extproc::Phase::request_headers>([](auto& headers, auto&, auto&, auto& answer) {
    if (headers.get_header("x-user") == std::nullopt)
      return answer.respond(extproc::form_immediate_response(401, {{"x-why", "nobody"}}, "who?"));
    answer.set_header("x-greeting", "hello");
    // What Envoy keeps for itself is kept here as well.
    answer.set_header("x-envoy-retries", "1");
  });
  handlers.process<extproc::Phase::response_body>([](auto& body, auto&, auto&, auto& answer) {
    answer.replace_body(std::string(body.body()) + "!");
  });
  return handlers;
}

}  // namespace

int main() {
  extproc::Handlers handlers = greeter();
  example::MapHost host{extproc::Service(handlers)};
  const auto upstream = [](const example::HttpMessage& request) {
    return example::HttpMessage{
        {{":status", "200"}},
        request.headers.count("x-envoy-retries") != 0 ? "wrong" : request.headers.at("x-greeting")};
  };
  const auto greeted = host.exchange({{{":path", "/"}, {"x-user", "me"}}, ""}, upstream);
  const auto refused = host.exchange({{{":path", "/"}}, ""}, upstream);
  return greeted.body == "hello!" && refused.headers.at(":status") == "401" &&
                 refused.headers.at("x-why") == "nobody" && refused.body == "who?"
             ? 0
             : 1;
}
