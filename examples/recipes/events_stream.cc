#include <extproc/extproc.h>

#include <string>

/// Sees JSON as a whole, and events as they come.
class EventsStream : public extproc::Processor {
 public:
  void process_response_headers(const extproc::HttpHeaders& headers, extproc::Context& /*context*/,
                                extproc::Request& /*request*/,
                                extproc::HeadersResponse& response) override {
    if (headers.value("content-type").value_or("").starts_with("text/event-stream"))
      response.override_mode({.response_body_mode = extproc::BodySendMode::streamed});
  }

  void process_response_body(const extproc::HttpBody& body, extproc::Context& /*context*/,
                             extproc::Request& /*request*/,
                             extproc::BodyResponse& response) override {
    response.replace_body(std::string(body.bytes()) + (body.bytes().empty() ? "" : "\n"));
  }
};

EXTPROC_EXPORT(EventsStream)
