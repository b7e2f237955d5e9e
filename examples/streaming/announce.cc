#include <extproc/async.h>

#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>

/// Answers /countdown itself, with an event every so often.
class Announce : public extproc::AsyncProcessor {
 public:
  extproc::Task<> process_request_headers(const extproc::HttpHeaders& /*headers*/,
                                          extproc::Context& context, extproc::Request& request,
                                          extproc::HeadersResponse& response) override {
    if (request.path() != "/countdown") co_return;
    auto& events = response.respond_streaming(200, {{"content-type", "text/event-stream"}});
    boost::asio::steady_timer timer(extproc::executor(context));
    for (int left = 3; left > 0; --left) {
      events.write("data: " + std::to_string(left) + "\n\n");
      timer.expires_after(std::chrono::milliseconds(100));
      co_await timer.async_wait(boost::asio::deferred);
    }
    events.finish();
  }
};

EXTPROC_EXPORT(Announce)
