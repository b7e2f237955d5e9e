#include "service_under_test.h"

#include <memory>

#include "check.h"
#include "touch_everything.h"

namespace extproc::fuzz {
namespace {

Service make_service(Style style) {
  switch (style) {
    case Style::suspending:
      return Service::make<SuspendingTouchEverything>();
    case Style::streaming:
      return Service::make<StreamingTouchEverything>();
    case Style::plain:
      break;
  }
  return Service::make<TouchEverything>();
}

}  // namespace

ServiceUnderTest::ServiceUnderTest(Style style)
    : style_(style),
      service_(make_service(style)),
      host_(service_,
            {.log_level = LogLevel::debug,
             .log = [](LogLevel,
                       std::string_view line) { check(!line.empty(), "a log line has text"); },
             .chain_header = "x-ext-procs-applied"},
            &loop_.events) {}

ServiceUnderTest::~ServiceUnderTest() {
  check(counters().streams_open.value() == 0, "every stream that began has ended");
}

void ServiceUnderTest::run_suspended() {
  io_.restart();
  const std::size_t resumed = io_.poll();
  check(style_ != Style::plain || resumed == 0, "a processor that does not suspend uses no loop");
}

}  // namespace extproc::fuzz
