#include <extproc/async.h>
#include <extproc/call_log.h>
#include <extproc/metrics.h>
#include <extproc/trace_settings.h>

#include <chrono>
#include <string>

namespace {

/// Writes a line of JSON for each request: what was asked, how it was answered, how long it took.
/// It only looks on, so that no request waits for it. First of a chain, it tells of what the others
/// say in CallFields, and of what they answer themselves.
class CallLog final : public extproc::AsyncProcessor {
 public:
  explicit CallLog(const extproc::OwnSettings& settings)
      : sees_bodies_(settings.get_or("bodies", true)), log_(read(settings, sees_bodies_)) {}

  extproc::Task<> process_request_headers(const extproc::HttpHeaders& headers,
                                          extproc::Context& context, extproc::Request& request,
                                          extproc::HeadersResponse&) override {
    log_.request_headers(headers, context, request);
    co_return;
  }

  extproc::Task<> process_response_headers(const extproc::HttpHeaders& headers, extproc::Context&,
                                           extproc::Request& request,
                                           extproc::HeadersResponse&) override {
    log_.response_headers(headers, request);
    co_return;
  }

  extproc::Task<> process_response_trailers(const extproc::HttpTrailers& trailers,
                                            extproc::Context&, extproc::Request& request,
                                            extproc::TrailersResponse&) override {
    log_.response_trailers(trailers, request);
    co_return;
  }

  extproc::Task<> stream_request_body(extproc::BodyStream& body, extproc::Context&,
                                      extproc::Request& request) override {
    co_await count(body, request);
  }

  extproc::Task<> stream_response_body(extproc::BodyStream& body, extproc::Context&,
                                       extproc::Request& request) override {
    co_await count(body, request);
  }

  void on_complete(const extproc::Completed& how, extproc::Context&,
                   extproc::Request& request) override {
    if (!log_.complete(how, request)) dropped_.add();
  }

  /// Bodies are sent for their sizes alone: without, those that the headers announce are told.
  extproc::PhaseSet handled_phases() const {
    using enum extproc::Phase;
    if (!sees_bodies_) return {request_headers, response_headers};
    return {request_headers, request_body, response_headers, response_body, response_trailers};
  }

  extproc::Needs needs() const override {
    return {.request_attributes = {"xds.route_name", "source.address"}, .observability_mode = true};
  }

 private:
  static extproc::CallLogSettings read(const extproc::OwnSettings& settings, bool sees_bodies) {
    extproc::CallLogSettings log;
    log.sees_bodies = sees_bodies;
    log.file = settings.get_or("file", log.file);
    if (const auto url = settings.find<std::string>("otlp")) {
      log.otlp = extproc::TraceSettings{
          .endpoint = *url,
          .service_name = settings.get_or<std::string>("service", ""),
          .delay = std::chrono::seconds(1),
          .queue_bytes = settings.get_or("queue", extproc::ByteSize{log.queue_bytes}).bytes};
    }
    log.request_headers = settings.get_or("request_headers", log.request_headers);
    log.response_headers = settings.get_or("response_headers", log.response_headers);
    log.user_header = settings.get_or("user_header", log.user_header);
    log.redacted = settings.get_or("redacted", log.redacted);
    log.sample = settings.get_or("sample", log.sample);
    log.sample_all_from = settings.get_or("sample_all_from", log.sample_all_from);
    log.queue_bytes = settings.get_or("queue", extproc::ByteSize{log.queue_bytes}).bytes;
    return log;
  }

  extproc::Task<> count(extproc::BodyStream& body, extproc::Request& request) const {
    while (auto chunk = co_await body.read()) {
      log_.body(body.phase(), *chunk, request);
      body.write(chunk->bytes());
    }
  }

  const bool sees_bodies_;
  const extproc::CallLog log_;
  const extproc::metrics::Counter dropped_{"call_log_lines_dropped_total",
                                           "Lines of the call log that were dropped"};
};

}  // namespace

EXTPROC_EXPORT(CallLog)
