// What the attacks aim at. Each answers a request for any other path than those named at once, so
// that well-behaved requests can be made beside an attack.

#include <extproc/async.h>
#include <extproc/offload.h>

#include <atomic>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace hostile_processors {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::size_t kBigBytes = std::size_t{4} << 20;

bool asks_for(const extproc::HttpHeaders& headers, std::string_view path) {
  return headers.value(":path") == path;
}

}  // namespace

/// Handlers for all phases, which return at once, and look an attribute up, for
/// headers and for each chunk. `/big`, `/large`: an answer of 4 MiB, of 300 KB. `/throw`: fails
/// with what x-request-id says.
class Prompt : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context& context,
                               extproc::Request& /*request*/,
                               extproc::HeadersResponse& response) override {
    if (asks_for(headers, "/throw")) {
      throw std::runtime_error(std::string(headers.value("x-request-id").value_or("none")));
    }
    if (context.attribute("request.path")) response.set_header("x-attribute", "seen");
    if (asks_for(headers, "/big")) response.set_header("x-big", std::string(kBigBytes, 'b'));
    if (asks_for(headers, "/large")) response.set_header("x-large", std::string(300'000, 'l'));
  }
  void process_request_body(const extproc::HttpBody& /*body*/, extproc::Context& context,
                            extproc::Request& /*request*/,
                            extproc::BodyResponse& response) override {
    if (context.attribute("request.path")) response.clear_route_cache();
  }
  void process_request_trailers(const extproc::HttpTrailers& /*trailers*/,
                                extproc::Context& /*context*/, extproc::Request& /*request*/,
                                extproc::TrailersResponse& /*response*/) override {}
  void process_response_headers(const extproc::HttpHeaders& /*headers*/,
                                extproc::Context& /*context*/, extproc::Request& /*request*/,
                                extproc::HeadersResponse& /*response*/) override {}
  void process_response_body(const extproc::HttpBody& /*body*/, extproc::Context& /*context*/,
                             extproc::Request& /*request*/,
                             extproc::BodyResponse& /*response*/) override {}
  void process_response_trailers(const extproc::HttpTrailers& /*trailers*/,
                                 extproc::Context& /*context*/, extproc::Request& /*request*/,
                                 extproc::TrailersResponse& /*response*/) override {}
};
EXTPROC_EXPORT(Prompt)

/// `/wait`: waits for ever. `/pieces`: a response of 300 pieces of 1 MiB, one each millisecond;
/// `/pieces?patient`: as fast as its peer reads.
class Waits : public extproc::AsyncProcessor {
 public:
  extproc::Task<> process_request_headers(const extproc::HttpHeaders& headers,
                                          extproc::Context& context, extproc::Request& /*request*/,
                                          extproc::HeadersResponse& response) override {
    asio::steady_timer timer(extproc::executor(context));
    if (asks_for(headers, "/wait")) {
      timer.expires_at(asio::steady_timer::time_point::max());
      co_await timer.async_wait(asio::deferred);
    }
    const bool patient = asks_for(headers, "/pieces?patient");
    if (!patient && !asks_for(headers, "/pieces")) co_return;
    constexpr int kPieces = 300;
    const std::string piece(std::size_t{1} << 20, 'p');
    auto& written = response.respond_streaming(200, {});
    for (int i = 0; i < kPieces; ++i) {
      written.write(piece);
      if (patient) {
        co_await written.writable();
        continue;
      }
      timer.expires_after(1ms);
      co_await timer.async_wait(asio::deferred);
    }
    written.finish();
  }
};
EXTPROC_EXPORT(Waits)

/// A handler over the whole request body, which copies it. `/hold`: it waits before, until someone
/// asks for `/release`.
class Bodies : public extproc::AsyncProcessor {
 public:
  extproc::Task<> process_request_headers(const extproc::HttpHeaders& headers,
                                          extproc::Context& /*context*/, extproc::Request& request,
                                          extproc::HeadersResponse& /*response*/) override {
    request.state<Holds>().holds = asks_for(headers, "/hold");
    if (asks_for(headers, "/release")) released_ = true;
    co_return;
  }
  extproc::Task<> stream_request_body(extproc::BodyStream& body, extproc::Context& context,
                                      extproc::Request& request) override {
    if (request.state<Holds>().holds) co_await wait_for_release(context);
    while (auto chunk = co_await body.read()) body.write(chunk->bytes());
  }
  extproc::Task<> process_request_trailers(const extproc::HttpTrailers& /*trailers*/,
                                           extproc::Context& /*context*/,
                                           extproc::Request& /*request*/,
                                           extproc::TrailersResponse& /*response*/) override {
    co_return;
  }

 private:
  struct Holds {
    bool holds = false;
  };

  extproc::Task<> wait_for_release(extproc::Context& context) {
    asio::steady_timer timer(extproc::executor(context));
    while (!released_) {
      timer.expires_after(20ms);
      co_await timer.async_wait(asio::deferred);
    }
  }

  std::atomic<bool> released_ = false;
};
EXTPROC_EXPORT(Bodies)

namespace {

/// `/block`: 20 ms on a blocking thread. Each answer says in x-ran how many there were.
class Blocking {
 public:
  void run() {
    ++ran_;
    std::this_thread::sleep_for(20ms);
  }
  void tell(extproc::HeadersResponse& response) const {
    response.set_header("x-ran", std::to_string(ran_.load()));
  }

 private:
  std::atomic<int> ran_ = 0;
};

}  // namespace

class Blocks : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context& /*context*/,
                               extproc::Request& /*request*/,
                               extproc::HeadersResponse& response) override {
    if (asks_for(headers, "/block")) blocking_.run();
    blocking_.tell(response);
  }
  bool blocking() const override { return true; }

 private:
  Blocking blocking_;
};
EXTPROC_EXPORT(Blocks)

class Offloads : public extproc::AsyncProcessor {
 public:
  extproc::Task<> process_request_headers(const extproc::HttpHeaders& headers,
                                          extproc::Context& /*context*/,
                                          extproc::Request& /*request*/,
                                          extproc::HeadersResponse& response) override {
    // Also where nothing blocks: whoever asks waits for a thread.
    const bool blocks = asks_for(headers, "/block");
    co_await extproc::offload([this, blocks] {
      if (blocks) blocking_.run();
    });
    blocking_.tell(response);
  }

 private:
  Blocking blocking_;
};
EXTPROC_EXPORT(Offloads)

}  // namespace hostile_processors
