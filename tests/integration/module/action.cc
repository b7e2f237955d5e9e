#include "action.h"

#include <sstream>
#include <stdexcept>
#include <utility>

#include "fields.h"

namespace test_processors {
namespace {

constexpr extproc::Phase kPhases[] = {
    extproc::Phase::request_headers,  extproc::Phase::request_body,
    extproc::Phase::request_trailers, extproc::Phase::response_headers,
    extproc::Phase::response_body,    extproc::Phase::response_trailers};

extproc::Phase phase_named(std::string_view name) {
  for (const extproc::Phase phase : kPhases) {
    if (to_string(phase) == name) return phase;
  }
  throw std::invalid_argument("no such phase: " + std::string(name));
}

// "a b c" at the first space, or at another separator.
std::pair<std::string, std::string> split(const std::string& text, char separator) {
  const auto at = text.find(separator);
  if (at == std::string::npos) return {text, ""};
  return {text.substr(0, at), text.substr(at + 1)};
}

bool change_headers(const Action& action, extproc::PhaseResponse& response) {
  const auto [name, value] = split(action.argument, '=');
  if (action.verb == "set") {
    response.set_header(name, value);
  } else if (action.verb == "set_many") {
    for (int i = 0; i < std::stoi(value); ++i)
      response.set_header(name + "-" + std::to_string(i), "1");
  } else if (action.verb == "unhex") {
    response.set_header(name, from_hex(value));
  } else if (action.verb == "append") {
    response.append_header(name, value);
  } else if (action.verb == "remove") {
    response.remove_header(name);
  } else if (action.verb == "many") {
    for (int i = 0; i < std::stoi(name); ++i) {
      const std::string header = "x-many-" + std::to_string(i);
      value == "remove" ? response.remove_header(header) : response.set_header(header, "1");
    }
  } else {
    return false;
  }
  return true;
}

bool report_headers(const Action& action, const extproc::HeaderView& headers,
                    extproc::PhaseResponse& response) {
  if (action.verb == "count") {
    response.set_header("x-count", std::to_string(headers.size()));
  } else if (action.verb == "hex") {
    std::string values;
    for (const auto value : headers.get_all(action.argument)) values += to_hex(value) + ",";
    response.set_header("x-hex-" + action.argument, values);
  } else {
    return false;
  }
  return true;
}

extproc::ImmediateResponse immediate(const std::string& argument) {
  const auto [status, text] = split(argument, ' ');
  return extproc::form_immediate_response(std::stoi(status), {{"x-from", "processor"}}, text);
}

}  // namespace

std::vector<Action> Script::of(extproc::Phase phase) const {
  std::vector<Action> chosen;
  for (const Action& action : actions) {
    if (action.phase == phase) chosen.push_back(action);
  }
  return chosen;
}

Script read_script(const extproc::HttpHeaders& headers, std::string_view header) {
  Script script;
  for (const auto line : headers.get_all(header)) {
    const auto [phase, rest] = split(std::string(line), ' ');
    const auto [verb, argument] = split(rest, ' ');
    script.actions.push_back({phase_named(phase), verb, argument});
  }
  return script;
}

bool act(const Action& action, const extproc::HttpHeaders& headers,
         extproc::HeadersResponse& response) {
  if (change_headers(action, response) || report_headers(action, headers, response)) return true;
  if (action.verb == "continue_and_replace") {
    response.continue_and_replace(action.argument);
  } else if (action.verb == "wait_for_body") {
    action.argument.empty() ? response.wait_for_body()
                            : response.wait_for_body(immediate(action.argument));
  } else if (action.verb == "mode") {
    response.override_mode(mode_override_of(action.argument));
  } else if (action.verb == "clear_route_cache") {
    response.clear_route_cache();
  } else {
    return false;
  }
  return true;
}

bool act(const Action& action, const extproc::HttpBody& body, extproc::BodyResponse& response) {
  if (change_headers(action, response)) return true;
  if (action.verb == "size") {
    response.set_header("x-size", std::to_string(body.body().size()));
  } else if (action.verb == "replace") {
    response.replace_body(action.argument);
  } else if (action.verb == "fill") {
    response.replace_body(std::string(std::stoul(action.argument), 'f'));
  } else if (action.verb == "clear") {
    response.clear_body();
  } else if (action.verb == "clear_route_cache") {
    response.clear_route_cache();
  } else {
    return false;
  }
  return true;
}

bool act(const Action& action, const extproc::HttpTrailers& trailers,
         extproc::TrailersResponse& response) {
  return change_headers(action, response) || report_headers(action, trailers, response);
}

bool act_in_any_phase(const Action& action, extproc::Context& context,
                      extproc::PhaseResponse& response) {
  if (action.verb == "throw") throw std::runtime_error(action.argument);
  if (action.verb == "stop") throw extproc::StopRequestProcessing(immediate(action.argument));
  if (action.verb == "respond") {
    response.respond(immediate(action.argument));
  } else if (action.verb == "abort") {
    context.abort(extproc::GrpcStatus::failed_precondition, action.argument);
  } else {
    return act_on_fields(action, context, response);
  }
  return true;
}

}  // namespace test_processors
