#include <extproc/async.h>

#include <cstdint>

/// Counts what was answered, for the access log, also of callers that leave before the end.
class Usage : public extproc::AsyncProcessor {
 public:
  extproc::Task<> stream_response_body(extproc::BodyStream& body, extproc::Context& /*context*/,
                                       extproc::Request& /*request*/) override {
    std::int64_t bytes = 0;
    while (auto chunk = co_await body.read()) {
      bytes += static_cast<std::int64_t>(chunk->bytes().size());
      body.response().set_dynamic_metadata("usage", extproc::Struct().set("bytes", bytes));
      body.write(chunk->bytes());
    }
  }
};

EXTPROC_EXPORT(Usage)
