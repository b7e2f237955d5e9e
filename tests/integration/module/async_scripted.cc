#include <extproc/async.h>

#include <atomic>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "action.h"
#include "fields.h"

namespace test_processors {

/// The same in coroutines: sleep awaits a timer, offload blocks another thread.
class AsyncScripted : public extproc::AsyncProcessor {
 public:
  extproc::Task<> process_request_headers(const extproc::HttpHeaders& headers,
                                          extproc::Context& context, extproc::Request& request,
                                          extproc::HeadersResponse& response) override {
    request.state<Script>() = read_script(headers);
    co_await run(extproc::Phase::request_headers, headers, context, request, response);
  }
  extproc::Task<> process_request_body(const extproc::HttpBody& body, extproc::Context& context,
                                       extproc::Request& request,
                                       extproc::BodyResponse& response) override {
    co_await run(extproc::Phase::request_body, body, context, request, response);
  }
  extproc::Task<> process_request_trailers(const extproc::HttpTrailers& trailers,
                                           extproc::Context& context, extproc::Request& request,
                                           extproc::TrailersResponse& response) override {
    co_await run(extproc::Phase::request_trailers, trailers, context, request, response);
  }
  extproc::Task<> process_response_headers(const extproc::HttpHeaders& headers,
                                           extproc::Context& context, extproc::Request& request,
                                           extproc::HeadersResponse& response) override {
    co_await run(extproc::Phase::response_headers, headers, context, request, response);
  }
  extproc::Task<> process_response_body(const extproc::HttpBody& body, extproc::Context& context,
                                        extproc::Request& request,
                                        extproc::BodyResponse& response) override {
    co_await run(extproc::Phase::response_body, body, context, request, response);
  }
  extproc::Task<> process_response_trailers(const extproc::HttpTrailers& trailers,
                                            extproc::Context& context, extproc::Request& request,
                                            extproc::TrailersResponse& response) override {
    co_await run(extproc::Phase::response_trailers, trailers, context, request, response);
  }

 private:
  extproc::Task<> stream(StreamedScript script, extproc::Context& context,
                         extproc::HeadersResponse& response) {
    auto& reply = response.respond_streaming(script.status, script.headers);
    for (const std::string& chunk : script.chunks) {
      boost::asio::steady_timer timer(extproc::executor(context), script.delay);
      const int before = released_;
      if (script.delay.count() > 0) co_await timer.async_wait(boost::asio::deferred);
      while (chunk == "@wait" && released_ == before) {
        timer.expires_after(std::chrono::milliseconds(2));
        co_await timer.async_wait(boost::asio::deferred);
      }
      if (chunk != "@wait") reply.write(chunk);
    }
    reply.finish(script.trailers);
  }

  template <class Data, class Response>
  extproc::Task<> run(extproc::Phase phase, const Data& data, extproc::Context& context,
                      extproc::Request& request, Response& response) {
    for (const Action& action : request.state<Script>().of(phase)) {
      if (action.verb == "sleep") {
        boost::asio::steady_timer timer(extproc::executor(context), action.duration());
        co_await timer.async_wait(boost::asio::deferred);
      } else if (action.verb == "offload") {
        co_await extproc::offload([&] { std::this_thread::sleep_for(action.duration()); });
      } else if (action.verb == "release") {
        ++released_;
      } else if (action.verb == "stream") {
        if constexpr (std::is_same_v<Response, extproc::HeadersResponse>) {
          co_await stream(streamed_script(action.argument), context, response);
        }
      } else {
        perform(action, data, context, response);
      }
    }
  }

  std::atomic<int> released_ = 0;
};

EXTPROC_EXPORT(AsyncScripted)

}  // namespace test_processors
