#include <extproc/async.h>

#include <string>

/// Answers /export itself, with more than should be kept for a caller that reads slowly.
class Export : public extproc::AsyncProcessor {
 public:
  extproc::Task<> process_request_headers(const extproc::HttpHeaders& /*headers*/,
                                          extproc::Context& /*context*/, extproc::Request& request,
                                          extproc::HeadersResponse& response) override {
    if (request.path() != "/export") co_return;
    auto& rows = response.respond_streaming(200, {{"content-type", "text/csv"}});
    for (int row = 0; row < 200'000; ++row) {
      rows.write(std::to_string(row) + ",a row of some length,and some more of it\n");
      co_await rows.writable();  // throws when the caller has gone, which ends the handler
    }
  }
};

EXTPROC_EXPORT(Export)
