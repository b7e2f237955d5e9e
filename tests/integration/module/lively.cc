#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>

#include "extproc/extproc.h"

namespace test_processors {

/// Tells of its life on standard error, a line each. It is ready once the file LIVELY_READY exists,
/// and does not start with LIVELY_FAILS.
class Lively : public extproc::Processor {
 public:
  Lively() { tell("made"); }
  extproc::Needs needs() const override {
    return {.request_attributes = {"request.path"},
            .metadata_set = {"com.example.lively"},
            .message_timeout = std::chrono::milliseconds(1500)};
  }
  void start() override {
    if (std::getenv("LIVELY_FAILS") != nullptr) throw std::runtime_error("the database is away");
    tell("starts");
  }
  void stop() override { tell("stops"); }
  bool ready() const override {
    const char* file = std::getenv("LIVELY_READY");
    return file == nullptr || ::access(file, F_OK) == 0;
  }
  void process_request_headers(const extproc::HttpHeaders&, extproc::Context& context,
                               extproc::Request& request,
                               extproc::HeadersResponse& response) override {
    const auto path = context.attribute("request.path");
    request.state<std::string>() = path ? std::string(path->string().value_or("?")) : "none";
    response.set_dynamic_metadata("com.example.lively", extproc::Struct().set("seen", true));
  }
  void on_complete(const extproc::Completed& how, extproc::Context&,
                   extproc::Request& request) override {
    tell("completes " + request.state<std::string>() + " " +
         std::string(extproc::to_string(how.status)));
  }

 protected:
  static void tell(const std::string& what) { std::cerr << "lively " + what + "\n"; }
};

/// The same to the end of each HTTP request.
class LivelyToTheEnd : public Lively {
 public:
  bool early_end() const override { return false; }
};

EXTPROC_EXPORT(Lively)
EXTPROC_EXPORT(LivelyToTheEnd)

}  // namespace test_processors
