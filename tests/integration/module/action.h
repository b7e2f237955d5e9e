#pragma once

#include <extproc/extproc.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace test_processors {

/// One thing to do in one phase: a value of the request header x-do, "<phase> <verb> [argument]".
///
///   set name=value, append name=value, remove name     header changes
///   set_many name=count            sets <name>-0, <name>-1, …
///   many number[=remove]           that many at once
///   hex name                       sets x-hex-<name> to the values' bytes in hexadecimal
///   unhex name=hexadecimal         sets a header to any bytes
///   count                          sets x-count to the number of headers
///   size                           sets x-size to the size of the body
///   replace text, fill bytes, clear          body changes
///   continue_and_replace text, mode …        of headers
///   clear_route_cache                        of headers and bodies
///   respond status text, stop status text    an immediate response, returned or thrown
///   throw text, abort text                   an exception, Context::abort
///   sleep ms                       blocks, or awaits a timer
///   offload ms                     blocks on another thread, in the asynchronous processor
///   stream JSON                    a response piece by piece, in the asynchronous processor
///   release                        lets those go on that wait at a piece "@wait"
///
/// and those of fields.h.
struct Action {
  extproc::Phase phase;
  std::string verb;
  std::string argument;

  std::chrono::milliseconds duration() const {
    return std::chrono::milliseconds(std::stoi(argument));
  }
};

/// What a request asks for; kept in its state.
struct Script {
  std::vector<Action> actions;

  std::vector<Action> of(extproc::Phase phase) const;
};

/// Reads x-do in the request headers, or another header. Throws std::invalid_argument for what it
/// does not know.
Script read_script(const extproc::HttpHeaders& headers, std::string_view header = "x-do");

/// Each does what it can for the kind of data and response that its phase has; false for a verb
/// that it does not know.
bool act(const Action& action, const extproc::HttpHeaders& headers,
         extproc::HeadersResponse& response);
bool act(const Action& action, const extproc::HttpBody& body, extproc::BodyResponse& response);
bool act(const Action& action, const extproc::HttpTrailers& trailers,
         extproc::TrailersResponse& response);

/// The verbs that every kind of phase has: respond, stop, throw, abort, and those of fields.h.
bool act_in_any_phase(const Action& action, extproc::Context& context,
                      extproc::PhaseResponse& response);

/// All of an action but waiting. Throws std::invalid_argument for a verb that nobody knows.
template <class Data, class Response>
void perform(const Action& action, const Data& data, extproc::Context& context,
             Response& response) {
  if (act_in_any_phase(action, context, response) || act(action, data, response)) return;
  throw std::invalid_argument("no such action here: " + action.verb);
}

}  // namespace test_processors
