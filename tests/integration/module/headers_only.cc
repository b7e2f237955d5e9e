#include "action.h"

namespace test_processors {

/// Handles nothing but request headers, as x-do says.
class RequestHeadersOnly : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context& context,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    request.state<Script>() = read_script(headers);
    for (const Action& action : request.state<Script>().of(extproc::Phase::request_headers)) {
      perform(action, headers, context, response);
    }
  }
};

EXTPROC_EXPORT(RequestHeadersOnly)

}  // namespace test_processors
