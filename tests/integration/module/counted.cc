#include <extproc/metrics.h>

#include "action.h"

namespace test_processors {

/// Counts request headers with metrics of its own.
class Counted : public extproc::Processor {
 public:
  void process_request_headers(const extproc::HttpHeaders& headers, extproc::Context& /*context*/,
                               extproc::Request& /*request*/,
                               extproc::HeadersResponse& /*response*/) override {
    requests_.add();
    number_of_headers_.observe(static_cast<double>(headers.size()));
    last_.set(static_cast<double>(headers.size()));
  }

 private:
  static constexpr double kBounds[] = {2, 3};
  const extproc::metrics::Counter requests_{
      "test_requests_total", "Requests that were counted", {{"by", "module \"counted\""}}};
  const extproc::metrics::Histogram number_of_headers_{
      "test_headers", "How many headers requests had", {}, kBounds};
  const extproc::metrics::Gauge last_{"test_last_headers", "How many the last one had"};
};

EXTPROC_EXPORT(Counted)

}  // namespace test_processors
