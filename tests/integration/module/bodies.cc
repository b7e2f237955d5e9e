#include <extproc/async.h>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cctype>
#include <memory>
#include <string>
#include <utility>

#include "action.h"

namespace test_processors {
namespace {

std::string upper(std::string_view text) {
  std::string changed(text);
  for (char& c : changed) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return changed;
}

}  // namespace

/// Handles whole bodies as the first action of the body's phase says, in x-do-bodies; without one
/// it lets them through, chunk by chunk.
///
///   upper               each chunk in upper case
///   summary             reads it all, then writes how many bytes there were
///   wrap                "[", the body, "]"
///   finish bytes        the first bytes in upper case, and no more
///   head                writes "head:" and the first chunk, then returns
///   before              writes "before:" without reading, then returns
///   ignore              returns at once
///   decide text         reads until there is such a text, sets x-model to how many bytes that
///                       were, has the route chosen again, and writes what it read
///   slow ms             sleeps before each chunk
///   repeat times text   writes text so often, waiting for the peer to take it, without reading
///   mode                "<mode>:" and the body
///
/// Further actions are done on the answer at the end, but for fall_back, which comes first.
class Bodies : public extproc::AsyncProcessor {
 public:
  Bodies() = default;
  /// `script`: the request header that asks, in place of x-do-bodies.
  explicit Bodies(std::string script) : script_(std::move(script)) {}

  extproc::Task<> process_request_headers(const extproc::HttpHeaders& headers,
                                          extproc::Context& context, extproc::Request& request,
                                          extproc::HeadersResponse& response) override {
    auto& script = request.state<Script>();
    script = read_script(headers, script_);
    for (const Action& action : script.of(extproc::Phase::request_headers)) {
      perform(action, headers, context, response);
    }
    co_return;
  }
  extproc::Task<> process_response_headers(const extproc::HttpHeaders& headers,
                                           extproc::Context& context, extproc::Request& request,
                                           extproc::HeadersResponse& response) override {
    for (const Action& action : request.state<Script>().of(extproc::Phase::response_headers)) {
      perform(action, headers, context, response);
    }
    co_return;
  }
  extproc::Task<> stream_request_body(extproc::BodyStream& body, extproc::Context& context,
                                      extproc::Request& request) override {
    co_await handle(body, context, request);
  }
  extproc::Task<> stream_response_body(extproc::BodyStream& body, extproc::Context& context,
                                       extproc::Request& request) override {
    co_await handle(body, context, request);
  }
  extproc::Task<> process_request_trailers(const extproc::HttpTrailers& /*trailers*/,
                                           extproc::Context& /*context*/,
                                           extproc::Request& /*request*/,
                                           extproc::TrailersResponse& response) override {
    response.set_header("x-request-trailers", "seen");
    co_return;
  }
  extproc::Task<> process_response_trailers(const extproc::HttpTrailers& /*trailers*/,
                                            extproc::Context& /*context*/,
                                            extproc::Request& /*request*/,
                                            extproc::TrailersResponse& response) override {
    response.set_header("x-response-trailers", "seen");
    co_return;
  }

 private:
  static extproc::Task<> decide(extproc::BodyStream& body, const std::string& wanted) {
    std::string text;
    std::size_t at = std::string::npos;
    while (auto chunk = co_await body.read()) {
      text += chunk->bytes();
      at = text.find(wanted);
      if (at != std::string::npos) break;
    }
    if (at != std::string::npos) {
      body.response().set_header("x-model", std::to_string(at));
      body.clear_route_cache();
    }
    body.write(text);
  }

  static extproc::Task<> handle(extproc::BodyStream& body, extproc::Context& context,
                                extproc::Request& request) {
    const auto actions = request.state<Script>().of(body.phase());
    const std::string verb = actions.empty() ? "pass" : actions.front().verb;
    for (const Action& action : actions) {
      if (action.verb == "fall_back") act_in_any_phase(action, context, body.response());
    }
    if (verb == "upper") {
      while (auto chunk = co_await body.read()) body.write(upper(chunk->body()));
    } else if (verb == "summary") {
      std::size_t bytes = 0;
      while (auto chunk = co_await body.read()) bytes += chunk->body().size();
      body.write(std::to_string(bytes) + " bytes");
    } else if (verb == "wrap" || verb == "mode") {
      const std::string before =
          verb == "wrap" ? "[" : std::string(to_string(body.mode().value())) + ":";
      body.write(before);
      while (auto chunk = co_await body.read()) body.write(chunk->body());
      if (verb == "wrap") body.write("]");
    } else if (verb == "finish") {
      std::size_t left = std::stoul(actions.front().argument);
      while (left > 0) {
        auto chunk = co_await body.read();
        if (!chunk) co_return;
        const auto part = chunk->body().substr(0, left);
        left -= part.size();
        body.write(upper(part));
      }
      body.finish();
    } else if (verb == "head") {
      const auto chunk = co_await body.read();
      body.write("head:");
      if (chunk) body.write(chunk->body());
    } else if (verb == "decide") {
      co_await decide(body, actions.front().argument);
    } else if (verb == "before") {
      body.write("before:");
    } else if (verb == "repeat" || verb == "repeat_at_a_pace") {
      if (verb == "repeat_at_a_pace") body.set_pace({.bytes_per_second = std::size_t{64} << 10});
      const auto& argument = actions.front().argument;
      const auto space = argument.find(' ');
      for (auto times = std::stoul(argument.substr(0, space)); times > 0; --times) {
        co_await body.writable();
        body.write(argument.substr(space + 1));
      }
      body.finish();
    } else if (verb == "pass" || verb == "slow") {
      while (auto chunk = co_await body.read()) {
        if (verb == "slow") {
          boost::asio::steady_timer timer(extproc::executor(context), actions.front().duration());
          co_await timer.async_wait(boost::asio::deferred);
        }
        body.write(chunk->body());
      }
    } else if (verb != "ignore") {
      throw std::invalid_argument("no such action on a body: " + verb);
    }
    for (std::size_t i = 1; i < actions.size(); ++i) {
      if (actions[i].verb == "fall_back") continue;
      if (!act_in_any_phase(actions[i], context, body.response())) {
        body.response().set_header("x-body", actions[i].verb);
      }
    }
  }

  std::string script_ = "x-do-bodies";
};

namespace {

/// One of several in a row: body link N does what x-do-N asks for.
class BodyLink final : public Bodies {
 public:
  explicit BodyLink(int number) : Bodies("x-do-" + std::to_string(number)), number_(number) {}
  std::string name() const override { return "BodyLink" + std::to_string(number_); }

 private:
  int number_;
};

extproc::Service body_link(int number) {
  return extproc::Service(std::make_shared<BodyLink>(number));
}

}  // namespace

EXTPROC_EXPORT(Bodies)
EXTPROC_EXPORT_AS(BodyLink1, [] { return body_link(1); })
EXTPROC_EXPORT_AS(BodyLink3, [] { return body_link(3); })
EXTPROC_EXPORT_AS(BodyLink4, [] { return body_link(4); })

}  // namespace test_processors
