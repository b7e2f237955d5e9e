#pragma once

#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "action.h"

namespace test_processors {

/// Does what x-do asks for, in plain functions.
class Scripted : public extproc::Processor {
 public:
  Scripted() = default;
  /// `script`: the request header that asks, in place of x-do.
  explicit Scripted(std::string script) : script_(std::move(script)) {}

  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context& context,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    request.state<Script>() = read_script(headers, script_);
    run(extproc::Phase::request_headers, headers, context, request, response);
  }
  void process_request_body(const extproc::HttpBody& body, extproc::Context& context,
                            extproc::Request& request, extproc::BodyResponse& response) override {
    run(extproc::Phase::request_body, body, context, request, response);
  }
  void process_request_trailers(const extproc::HttpTrailers& trailers, extproc::Context& context,
                                extproc::Request& request,
                                extproc::TrailersResponse& response) override {
    run(extproc::Phase::request_trailers, trailers, context, request, response);
  }
  void process_response_headers(const extproc::HttpHeaders& headers, extproc::Context& context,
                                extproc::Request& request,
                                extproc::HeadersResponse& response) override {
    run(extproc::Phase::response_headers, headers, context, request, response);
  }
  void process_response_body(const extproc::HttpBody& body, extproc::Context& context,
                             extproc::Request& request, extproc::BodyResponse& response) override {
    run(extproc::Phase::response_body, body, context, request, response);
  }
  void process_response_trailers(const extproc::HttpTrailers& trailers, extproc::Context& context,
                                 extproc::Request& request,
                                 extproc::TrailersResponse& response) override {
    run(extproc::Phase::response_trailers, trailers, context, request, response);
  }

 private:
  template <class Data, class Response>
  void run(extproc::Phase phase, const Data& data, extproc::Context& context,
           extproc::Request& request, Response& response) {
    for (const Action& action : request.state<Script>().of(phase)) {
      if (action.verb == "sleep") {
        std::this_thread::sleep_for(action.duration());
      } else {
        perform(action, data, context, response);
      }
    }
  }

  std::string script_ = "x-do";
};

}  // namespace test_processors
