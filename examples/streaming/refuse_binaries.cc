#include <extproc/async.h>

/// Looks at the beginning of an upload, and lets the rest of it pass unseen.
class RefuseBinaries : public extproc::AsyncProcessor {
 public:
  extproc::Task<> stream_request_body(extproc::BodyStream& body, extproc::Context& /*context*/,
                                      extproc::Request& /*request*/) override {
    const auto first = co_await body.read();
    if (!first) co_return;
    if (first->bytes().starts_with("MZ")) {
      body.response().respond(extproc::form_immediate_response(415, {}, "no programs, please\n"));
      co_return;
    }
    body.write(first->bytes());
  }
};

EXTPROC_EXPORT(RefuseBinaries)
