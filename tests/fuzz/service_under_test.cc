#include "service_under_test.h"

#include <memory>

#include "check.h"
#include "touch_everything.h"

namespace extproc::fuzz {
namespace {

Service make_service(bool suspends) {
  if (suspends) return Service::make<SuspendingTouchEverything>();
  return Service::make<TouchEverything>();
}

}  // namespace

ServiceUnderTest::ServiceUnderTest(bool suspends)
    : suspends_(suspends),
      service_(make_service(suspends)),
      loop_{io_.get_executor(), blocking_},
      logger_(LogLevel::debug,
              [](LogLevel, std::string_view line) { check(!line.empty(), "a log line has text"); }),
      environment_{.dispatcher = *service_.dispatcher(),
                   .logger = logger_,
                   .counters = counters_,
                   .loop = &loop_,
                   .chain_header = "x-ext-procs-applied"} {}

ServiceUnderTest::~ServiceUnderTest() {
  check(counters_.streams_open.value() == 0, "every stream that began has ended");
}

void ServiceUnderTest::run_suspended() {
  io_.restart();
  const std::size_t resumed = io_.poll();
  check(suspends_ || resumed == 0, "a processor that does not suspend uses no loop");
}

}  // namespace extproc::fuzz
