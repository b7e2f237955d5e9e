// Times a request: tells the upstream when it started, and the caller when it started and how long
// it took.
#include <extproc/extproc.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>

namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

// "2022-07-16T22:55:19.290822Z"
std::string iso8601(system_clock::time_point time) {
  const std::time_t seconds = system_clock::to_time_t(time);
  const auto fraction = time - std::chrono::floor<std::chrono::seconds>(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char date[32];
  char text[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(
      text, sizeof text, "%s.%06dZ", date,
      static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(fraction).count()));
  return text;
}

// What one phase leaves for the next.
struct Started {
  std::string at;
  steady_clock::time_point clock;
};

class TimerExtProcService : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    auto& started = request.state<Started>();
    started.at = iso8601(system_clock::now());
    started.clock = steady_clock::now();
    response.set_header("x-request-started", started.at);
  }

  void process_response_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                                extproc::Request& request,
                                extproc::HeadersResponse& response) override {
    const auto& started = request.state<Started>();
    // A reply of Envoy's own can come without a request before it.
    if (started.at.empty()) return;
    response.set_header("x-request-started", started.at);
    if (headers.end_of_stream()) set_duration(started, response);
  }

  // The body is complete here, and in BUFFERED mode Envoy still holds the headers back.
  void process_response_body(const extproc::HttpBody&, extproc::Context&, extproc::Request& request,
                             extproc::BodyResponse& response) override {
    const auto& started = request.state<Started>();
    if (!started.at.empty()) set_duration(started, response);
  }

 private:
  static void set_duration(const Started& started, extproc::PhaseResponse& response) {
    const std::chrono::nanoseconds duration = steady_clock::now() - started.clock;
    response.set_header("x-duration-ns", std::to_string(duration.count()));
  }
};

}  // namespace

EXTPROC_EXPORT(TimerExtProcService)
