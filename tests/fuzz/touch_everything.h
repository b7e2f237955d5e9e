#pragma once

#include <extproc/async.h>
#include <extproc/extproc.h>

namespace extproc::fuzz {

/// Reads all that a handler can read, and answers in every way that there is; what it does follows
/// from the data alone, so that a run can be repeated.
class TouchEverything : public Processor {
 public:
  void process_request_headers(const HttpHeaders& headers, Context& context, Request& request,
                               HeadersResponse& response) override;
  void process_request_body(const HttpBody& body, Context& context, Request& request,
                            BodyResponse& response) override;
  void process_request_trailers(const HttpTrailers& trailers, Context& context, Request& request,
                                TrailersResponse& response) override;
  void process_response_headers(const HttpHeaders& headers, Context& context, Request& request,
                                HeadersResponse& response) override;
  void process_response_body(const HttpBody& body, Context& context, Request& request,
                             BodyResponse& response) override;
  void process_response_trailers(const HttpTrailers& trailers, Context& context, Request& request,
                                 TrailersResponse& response) override;
};

/// The same, but suspended once in the middle of each body.
class SuspendingTouchEverything : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders& headers, Context& context, Request& request,
                                 HeadersResponse& response) override;
  Task<> process_request_body(const HttpBody& body, Context& context, Request& request,
                              BodyResponse& response) override;
  Task<> process_response_body(const HttpBody& body, Context& context, Request& request,
                               BodyResponse& response) override;

 private:
  TouchEverything touch_;
};

/// The same, with coroutines over whole bodies: one sends the body on as it comes, the other
/// changes it in some way.
class StreamingTouchEverything : public AsyncProcessor {
 public:
  Task<> process_request_headers(const HttpHeaders& headers, Context& context, Request& request,
                                 HeadersResponse& response) override;
  Task<> stream_request_body(BodyStream& body, Context& context, Request& request) override;
  Task<> process_request_trailers(const HttpTrailers& trailers, Context& context, Request& request,
                                  TrailersResponse& response) override;
  Task<> process_response_headers(const HttpHeaders& headers, Context& context, Request& request,
                                  HeadersResponse& response) override;
  Task<> stream_response_body(BodyStream& body, Context& context, Request& request) override;

 private:
  TouchEverything touch_;
};

}  // namespace extproc::fuzz
