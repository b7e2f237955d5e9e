#include <extproc/extproc.h>

namespace {

/// Logs each request.
class CallLog final : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context&, extproc::Request&,
                               extproc::HeadersResponse&) override {}
};

}  // namespace

EXTPROC_EXPORT(CallLog)
