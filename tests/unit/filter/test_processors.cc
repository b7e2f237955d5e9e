#include "filter/test_processors.h"

#include <algorithm>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cctype>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "extproc/async.h"
#include "extproc/extproc.h"

namespace extproc::fake {

Seen& seen() {
  static Seen& all = *new Seen;
  return all;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

namespace {

using namespace std::chrono_literals;

class Counted {
 public:
  Counted() { ++seen().alive; }
  ~Counted() { --seen().alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

/// A handler that runs.
class Running {
 public:
  Running() { ++seen().handlers; }
  ~Running() { --seen().handlers; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  void look() const {
    if (std::this_thread::get_id() != thread_) ++seen().other_thread;
  }

 private:
  std::thread::id thread_ = std::this_thread::get_id();
};

class Changes : public Processor, Counted {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    response.set_header("x-seen", "request");
  }
  void process_request_body(const HttpBody& body, Context&, Request&,
                            BodyResponse& response) override {
    response.replace_body(upper(body.bytes()));
  }
  void process_request_trailers(const HttpTrailers&, Context&, Request&,
                                TrailersResponse& response) override {
    response.set_header("x-end", "request");
  }
  void process_response_headers(const HttpHeaders&, Context&, Request&,
                                HeadersResponse& response) override {
    response.set_header("x-seen", "response");
  }
  void process_response_body(const HttpBody& body, Context&, Request&,
                             BodyResponse& response) override {
    response.replace_body(upper(body.bytes()));
  }
  void process_response_trailers(const HttpTrailers&, Context&, Request&,
                                 TrailersResponse& response) override {
    response.set_header("x-end", "response");
  }
  void on_complete(const Completed&, Context&, Request&) override { ++seen().completed; }
};

class Looks : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {}
  void process_request_body(const HttpBody&, Context&, Request&, BodyResponse&) override {}
  void process_response_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {
  }
  void process_response_body(const HttpBody&, Context&, Request&, BodyResponse&) override {}
};

class Waits : public AsyncProcessor, Counted {
 public:
  Task<> process_request_headers(const HttpHeaders& headers, Context& context, Request& request,
                                 HeadersResponse& response) override {
    request.state<int>() = std::stoi(std::string(headers.value("x-ms").value_or("1")));
    co_await wait(context, request);
    response.set_header("x-seen", "request");
  }
  Task<> process_request_body(const HttpBody& body, Context& context, Request& request,
                              BodyResponse& response) override {
    co_await wait(context, request);
    response.replace_body(upper(body.bytes()));
  }
  Task<> process_request_trailers(const HttpTrailers&, Context& context, Request& request,
                                  TrailersResponse& response) override {
    co_await wait(context, request);
    response.set_header("x-end", "request");
  }
  Task<> process_response_headers(const HttpHeaders&, Context& context, Request& request,
                                  HeadersResponse& response) override {
    co_await wait(context, request);
    response.set_header("x-seen", "response");
  }
  Task<> process_response_body(const HttpBody& body, Context& context, Request& request,
                               BodyResponse& response) override {
    co_await wait(context, request);
    response.replace_body(upper(body.bytes()));
  }
  void on_complete(const Completed&, Context&, Request&) override { ++seen().completed; }

 private:
  static Task<> wait(Context& context, Request& request) {
    const Running running;
    boost::asio::steady_timer timer(executor(context),
                                    std::chrono::milliseconds(request.state<int>()));
    co_await timer.async_wait(boost::asio::deferred);
    running.look();
  }
};

void set_some(HeadersResponse& response) {
  response.set_header("x-there", "a");
  response.set_header("x-new", "b");
  response.set_header("X-New", "c");
  response.append_header("x-more", "d");
  response.set_header("x-more", "e");
  response.append_header("x-more", "f");
  response.remove_header("x-gone");
  response.set_header("x-gone", "g");
  response.set_header(":path", "/h");
}

class Sets : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    set_some(response);
  }
};

class SetsLater : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse& response) override {
    boost::asio::steady_timer timer(executor(context), std::chrono::milliseconds(1));
    co_await timer.async_wait(boost::asio::deferred);
    set_some(response);
  }
};

class Blocks : public Changes {
 public:
  bool blocking() const override { return true; }
  void process_request_headers(const HttpHeaders& headers, Context& context, Request& request,
                               HeadersResponse& response) override {
    const Running running;
    std::this_thread::sleep_for(2ms);
    Changes::process_request_headers(headers, context, request, response);
  }
};

class Shouts : public AsyncProcessor, Counted {
 public:
  Task<> stream_request_body(BodyStream& body, Context& context, Request&) override {
    return shout(body, context);
  }
  Task<> stream_response_body(BodyStream& body, Context& context, Request&) override {
    return shout(body, context);
  }

 private:
  static Task<> shout(BodyStream& body, Context& context) {
    const Running running;
    for (;;) {
      const auto chunk = co_await body.read();
      if (!chunk) break;
      const std::string text = upper(chunk->bytes());
      boost::asio::steady_timer timer(executor(context), 1ms);
      co_await timer.async_wait(boost::asio::deferred);
      body.write(text);
    }
  }
};

class Refuses : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    response.respond({.status = 403, .headers = {{"x-why", "no"}}, .body = "denied"});
  }
};

class Throws : public Processor {
 public:
  void process_request_headers(const HttpHeaders& headers, Context&, Request& request,
                               HeadersResponse&) override {
    request.state<std::string>() = headers.value("x-throw").value_or("");
    fail(request, "request_headers");
  }
  void process_request_body(const HttpBody&, Context&, Request& request, BodyResponse&) override {
    fail(request, "request_body");
  }
  void process_response_headers(const HttpHeaders&, Context&, Request& request,
                                HeadersResponse&) override {
    fail(request, "response_headers");
  }

 private:
  static void fail(Request& request, std::string_view phase) {
    if (request.state<std::string>() == phase) throw std::runtime_error("thrown");
  }
};

class Decides : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders&, Context&, Request&,
                                 HeadersResponse& response) override {
    response.wait_for_body();
    co_return;
  }
  Task<> stream_request_body(BodyStream& body, Context&, Request&) override {
    const auto chunk = co_await body.read();
    if (chunk && !chunk->bytes().empty())
      body.response().set_header("x-first", chunk->bytes().substr(0, 1));
    if (chunk) body.write(chunk->bytes());
  }
};

class States : public AsyncProcessor {
 public:
  Task<> stream_request_body(BodyStream&, Context&, Request&) override { co_return; }
  Needs needs() const override { return {.request_body_mode = BodySendMode::full_duplex_streamed}; }
};

class Falls : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse& response) override {
    const Running running;
    response.fall_back_after(20ms, ImmediateResponse{.status = 504});
    boost::asio::steady_timer timer(executor(context), 200ms);
    co_await timer.async_wait(boost::asio::deferred);
  }
};

class Starts : public Looks {
 public:
  void start() override { ++seen().starts; }
  void stop() override { ++seen().stops; }
};

class Cannot : public Looks {
 public:
  void start() override { throw std::runtime_error("no keys"); }
};

class Own : public Looks {
 public:
  explicit Own(const OwnSettings& settings) { settings.get<int>("number"); }
};

class Notes : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context& context, Request&,
                               HeadersResponse& response) override {
    const TraceContext* const trace = context.trace();
    response.set_header("x-parent", trace == nullptr ? "none" : trace->traceparent());
    const auto route = context.filter_metadata("route");
    const auto value = route ? route->find("team") : std::nullopt;
    const auto team = value ? value->string() : std::nullopt;
    if (!team) return;
    response.set_header("x-team", *team);
    response.set_dynamic_metadata("notes", Struct().set("team", *team));
  }
};

/// Looks at bodies for some time, and lets them go on as they are.
class KeepsLater : public AsyncProcessor {
 public:
  Task<> process_request_body(const HttpBody&, Context& context, Request&, BodyResponse&) override {
    return look(context);
  }
  Task<> process_response_body(const HttpBody&, Context& context, Request&,
                               BodyResponse&) override {
    return look(context);
  }

 private:
  static Task<> look(Context& context) {
    const Running running;
    boost::asio::steady_timer timer(executor(context), 1ms);
    co_await timer.async_wait(boost::asio::deferred);
  }
};

class Replaces : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&,
                               HeadersResponse& response) override {
    response.continue_and_replace("other");
  }
};

/// Begins a response of its own, and fails.
class BreaksOff : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders&, Context& context, Request&,
                                 HeadersResponse& response) override {
    const Running running;
    response.respond_streaming(200).write("one");
    boost::asio::steady_timer timer(executor(context), 1ms);
    co_await timer.async_wait(boost::asio::deferred);
    throw std::runtime_error("broken off");
  }
};

/// Has the mode of the request's body changed after a time, to what the header says.
class Overrides : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders& headers, Context& context, Request&,
                                 HeadersResponse& response) override {
    const Running running;
    const bool duplex = headers.value("x-mode").value_or("") == "FULL_DUPLEX_STREAMED";
    boost::asio::steady_timer timer(executor(context), 2ms);
    co_await timer.async_wait(boost::asio::deferred);
    response.override_mode({.request_body_mode = duplex ? BodySendMode::full_duplex_streamed
                                                        : BodySendMode::buffered});
  }
  Task<> process_request_body(const HttpBody& body, Context&, Request&,
                              BodyResponse& response) override {
    response.replace_body(upper(body.bytes()));
    co_return;
  }
  Needs needs() const override { return {.mode_override = true}; }
};

/// Does what cannot be done here, as the header says it.
void misuse(const HttpHeaders& headers, const Context& context, HeadersResponse& response) {
  const std::string_view what = headers.value("x-what").value_or("");
  if (what == "set") response.set_header("x-a", "");
  if (what == "append") response.append_header("x-a", "");
  if (what == "set host") response.set_header("host", "");
  if (what == "deadline") static_cast<void>(context.deadline());
  if (what == "metadata") static_cast<void>(context.metadata("x-a"));
  if (what == "all metadata") static_cast<void>(context.metadata());
  if (what == "peer_certificate") static_cast<void>(context.peer_certificate());
  response.set_header("x-peer", context.peer());
}

class Misuses : public Processor {
 public:
  void process_request_headers(const HttpHeaders& headers, Context& context, Request&,
                               HeadersResponse& response) override {
    misuse(headers, context, response);
  }
};

class MisusesLater : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders& headers, Context& context, Request&,
                                 HeadersResponse& response) override {
    const Running running;
    boost::asio::steady_timer timer(executor(context), 1ms);
    co_await timer.async_wait(boost::asio::deferred);
    misuse(headers, context, response);
  }
};

}  // namespace
}  // namespace extproc::fake

EXTPROC_EXPORT_AS(KeepsLater, extproc::detail::MakeExported<extproc::fake::KeepsLater>{})
EXTPROC_EXPORT_AS(Replaces, extproc::detail::MakeExported<extproc::fake::Replaces>{})
EXTPROC_EXPORT_AS(BreaksOff, extproc::detail::MakeExported<extproc::fake::BreaksOff>{})
EXTPROC_EXPORT_AS(Overrides, extproc::detail::MakeExported<extproc::fake::Overrides>{})
EXTPROC_EXPORT_AS(MisusesLater, extproc::detail::MakeExported<extproc::fake::MisusesLater>{})
EXTPROC_EXPORT_AS(Misuses, extproc::detail::MakeExported<extproc::fake::Misuses>{})
EXTPROC_EXPORT_AS(Notes, extproc::detail::MakeExported<extproc::fake::Notes>{})
EXTPROC_EXPORT_AS(Changes, extproc::detail::MakeExported<extproc::fake::Changes>{})
EXTPROC_EXPORT_AS(Looks, extproc::detail::MakeExported<extproc::fake::Looks>{})
EXTPROC_EXPORT_AS(Waits, extproc::detail::MakeExported<extproc::fake::Waits>{})
EXTPROC_EXPORT_AS(Sets, extproc::detail::MakeExported<extproc::fake::Sets>{})
EXTPROC_EXPORT_AS(SetsLater, extproc::detail::MakeExported<extproc::fake::SetsLater>{})
EXTPROC_EXPORT_AS(Blocks, extproc::detail::MakeExported<extproc::fake::Blocks>{})
EXTPROC_EXPORT_AS(Shouts, extproc::detail::MakeExported<extproc::fake::Shouts>{})
EXTPROC_EXPORT_AS(Refuses, extproc::detail::MakeExported<extproc::fake::Refuses>{})
EXTPROC_EXPORT_AS(Throws, extproc::detail::MakeExported<extproc::fake::Throws>{})
EXTPROC_EXPORT_AS(Decides, extproc::detail::MakeExported<extproc::fake::Decides>{})
EXTPROC_EXPORT_AS(States, extproc::detail::MakeExported<extproc::fake::States>{})
EXTPROC_EXPORT_AS(Falls, extproc::detail::MakeExported<extproc::fake::Falls>{})
EXTPROC_EXPORT_AS(Starts, extproc::detail::MakeExported<extproc::fake::Starts>{})
EXTPROC_EXPORT_AS(Cannot, extproc::detail::MakeExported<extproc::fake::Cannot>{})
EXTPROC_EXPORT_AS(Own, extproc::detail::MakeExported<extproc::fake::Own>{})
