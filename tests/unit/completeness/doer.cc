#include "completeness/doer.h"

#include <algorithm>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <cctype>
#include <functional>
#include <memory>
#include <utility>

namespace extproc::completeness {
namespace {

Task<> wait(Context& context) {
  co_await boost::asio::post(executor(context), boost::asio::deferred);
}

std::string upper(std::string_view bytes) {
  std::string text(bytes);
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// What a doer does, whatever its style.
class Actor {
 public:
  Actor(Acts acts, int& called) : acts_(std::move(acts)), called_(called) {}

  void act(Phase phase, HeadersResponse& response) const { run(phase, &Row::headers, response); }
  void act(Phase phase, BodyResponse& response) const { run(phase, &Row::body, response); }
  void act(Phase phase, TrailersResponse& response) const { run(phase, &Row::trailers, response); }
  Task<> stream(BodyStream& body) const {
    const auto [begin, end] = acts_.equal_range(body.phase());
    const bool drops =
        std::any_of(begin, end, [](const auto& act) { return act.second->drops_stream; });
    while (auto chunk = co_await body.read()) {
      if (!drops) body.write(chunk->body());
    }
    run(body.phase(), &Row::stream, body);
  }
  const Acts& acts() const { return acts_; }

 private:
  template <class Answer>
  void run(Phase phase, void (*Row::*member)(Answer&), Answer& answer) const {
    const auto [begin, end] = acts_.equal_range(phase);
    for (auto act = begin; act != end; ++act) {
      const Row& row = *act->second;
      if (row.*member == nullptr) continue;
      ++called_;
      (row.*member)(answer);
    }
  }

  Acts acts_;
  int& called_;
};

/// What ends a body without bytes is no piece of it to act on.
bool is_piece(const HttpBody& body) { return !body.body().empty(); }

class Class : public Processor {
 public:
  Class(std::string name, Actor actor) : name_(std::move(name)), actor_(std::move(actor)) {}
  std::string name() const override { return name_; }
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& r) override {
    actor_.act(Phase::request_headers, r);
  }
  void process_request_body(const HttpBody& body, Context&, Request&, BodyResponse& r) override {
    if (is_piece(body)) actor_.act(Phase::request_body, r);
  }
  void process_request_trailers(const HttpTrailers&, Context&, Request&,
                                TrailersResponse& r) override {
    actor_.act(Phase::request_trailers, r);
  }
  void process_response_headers(const HttpHeaders&, Context&, Request&,
                                HeadersResponse& r) override {
    actor_.act(Phase::response_headers, r);
  }
  void process_response_body(const HttpBody& body, Context&, Request&, BodyResponse& r) override {
    if (is_piece(body)) actor_.act(Phase::response_body, r);
  }
  void process_response_trailers(const HttpTrailers&, Context&, Request&,
                                 TrailersResponse& r) override {
    actor_.act(Phase::response_trailers, r);
  }

 private:
  std::string name_;
  Actor actor_;
};

class AsyncMessages : public AsyncProcessor {
 public:
  AsyncMessages(std::string name, Actor actor) : actor_(std::move(actor)), name_(std::move(name)) {}
  std::string name() const override { return name_; }
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse& r) override {
    return answer(Phase::request_headers, context, r);
  }
  Task<> process_request_body(const HttpBody& body, Context& context, Request&,
                              BodyResponse& r) override {
    return answer(Phase::request_body, context, r, is_piece(body));
  }
  Task<> process_request_trailers(const HttpTrailers&, Context& context, Request&,
                                  TrailersResponse& r) override {
    return answer(Phase::request_trailers, context, r);
  }
  Task<> process_response_headers(const HttpHeaders&, Context& context, Request&,
                                  HeadersResponse& r) override {
    return answer(Phase::response_headers, context, r);
  }
  Task<> process_response_body(const HttpBody& body, Context& context, Request&,
                               BodyResponse& r) override {
    return answer(Phase::response_body, context, r, is_piece(body));
  }
  Task<> process_response_trailers(const HttpTrailers&, Context& context, Request&,
                                   TrailersResponse& r) override {
    return answer(Phase::response_trailers, context, r);
  }

 private:
  template <class Response>
  Task<> answer(Phase phase, Context& context, Response& response, bool acts = true) {
    co_await wait(context);
    if (acts) actor_.act(phase, response);
  }

  Actor actor_;
  std::string name_;
};

class AsyncStreams : public AsyncProcessor {
 public:
  AsyncStreams(std::string name, Actor actor) : actor_(std::move(actor)), name_(std::move(name)) {}
  std::string name() const override { return name_; }
  Task<> process_request_headers(const HttpHeaders&, Context&, Request&,
                                 HeadersResponse& r) override {
    actor_.act(Phase::request_headers, r);
    co_return;
  }
  Task<> process_request_trailers(const HttpTrailers&, Context&, Request&,
                                  TrailersResponse& r) override {
    actor_.act(Phase::request_trailers, r);
    co_return;
  }
  Task<> process_response_headers(const HttpHeaders&, Context&, Request&,
                                  HeadersResponse& r) override {
    actor_.act(Phase::response_headers, r);
    co_return;
  }
  Task<> process_response_trailers(const HttpTrailers&, Context&, Request&,
                                   TrailersResponse& r) override {
    actor_.act(Phase::response_trailers, r);
    co_return;
  }
  Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
    return actor_.stream(body);
  }
  Task<> stream_response_body(BodyStream& body, Context&, Request&) override {
    return actor_.stream(body);
  }

 private:
  Actor actor_;
  std::string name_;
};

template <Phase phase>
void add(Handlers& handlers, const Actor& actor, bool streams) {
  if (!actor.acts().contains(phase)) return;
  if constexpr (phase == Phase::request_body || phase == Phase::response_body) {
    if (streams) {
      handlers.process<phase>(
          [actor](BodyStream& body, Context&, Request&) { return actor.stream(body); });
      return;
    }
  }
  handlers.process<phase>([actor](auto& data, auto&, auto&, auto& response) {
    if constexpr (requires { data.body(); }) {
      if (!is_piece(data)) return;
    }
    actor.act(phase, response);
  });
}

std::shared_ptr<Handlers> functions(const std::string& name, const Actor& actor, bool streams) {
  auto handlers = std::make_shared<Handlers>(name);
  add<Phase::request_headers>(*handlers, actor, streams);
  add<Phase::request_body>(*handlers, actor, streams);
  add<Phase::request_trailers>(*handlers, actor, streams);
  add<Phase::response_headers>(*handlers, actor, streams);
  add<Phase::response_body>(*handlers, actor, streams);
  add<Phase::response_trailers>(*handlers, actor, streams);
  return handlers;
}

Task<> shout(BodyStream& body) {
  while (auto chunk = co_await body.read()) body.write(upper(chunk->body()));
}

}  // namespace

const char* to_string(Style style) {
  constexpr const char* kNames[] = {"class",    "functions",    "async",
                                    "blocking", "async_stream", "function_stream"};
  return kNames[static_cast<std::size_t>(style)];
}

const char* to_string(Other other) {
  constexpr const char* kNames[] = {"nothing", "message", "stream"};
  return kNames[static_cast<std::size_t>(other)];
}

Service make_doer(const std::string& name, Style style, const Acts& acts, int& called) {
  Actor actor(acts, called);
  switch (style) {
    case Style::class_:
      return Service::make<Class>(name, std::move(actor));
    case Style::async:
      return Service::make<AsyncMessages>(name, std::move(actor));
    case Style::async_stream:
      return Service::make<AsyncStreams>(name, std::move(actor));
    case Style::functions:
    case Style::blocking:
    case Style::function_stream:
      break;
  }
  auto handlers = functions(name, actor, over_stream(style));
  // One that acts nowhere has a handler all the same, without which it could not be served.
  if (acts.empty()) handlers->process<Phase::request_headers>([](auto&, auto&, auto&, auto&) {});
  if (style == Style::blocking) handlers->blocking();
  return handlers;
}

Service make_other(const std::string& name, Other other) {
  auto handlers = std::make_shared<Handlers>(name);
  const auto marks = [](auto&, auto&, auto&, auto& r) { r.set_header("x-other", "1"); };
  if (other == Other::nothing) {
    handlers->process<Phase::request_headers>([](auto&, auto&, auto&, auto&) {});
    handlers->process<Phase::response_headers>([](auto&, auto&, auto&, auto&) {});
    return handlers;
  }
  handlers->process<Phase::request_headers>(marks).process<Phase::response_headers>(marks);
  if (other == Other::message) {
    const auto shouts = [](auto& body, auto&, auto&, auto& r) {
      r.replace_body(upper(body.body()));
    };
    handlers->process<Phase::request_body>(shouts).process<Phase::response_body>(shouts);
    handlers->process<Phase::request_trailers>(marks).process<Phase::response_trailers>(marks);
  } else {
    const auto shouts = [](BodyStream& body, Context&, Request&) { return shout(body); };
    handlers->process<Phase::request_body>(shouts).process<Phase::response_body>(shouts);
  }
  return handlers;
}

}  // namespace extproc::completeness
