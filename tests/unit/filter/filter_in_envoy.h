#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "filter/fake_envoy.h"
#include "filter/test_processors.h"

namespace extproc::fake {

/// A filter of one processor, and `more` of its configuration.
inline std::shared_ptr<Config> make(const std::string& processor, const std::string& more = "") {
  return std::make_shared<Config>("{\"processors\": [{\"name\": \"" + processor + "\"}]" +
                                  (more.empty() ? "" : ", " + more) + "}");
}

inline std::string modes(const std::string& request, const std::string& response) {
  return R"("processing_mode": {"request_body_mode": ")" + request +
         R"(", "response_body_mode": ")" + response +
         R"(", "request_trailer_mode": "SEND", "response_trailer_mode": "SEND"})";
}

/// A worker, whose handlers have all returned at the end.
class FilterInEnvoy : public ::testing::Test {
 protected:
  FilterInEnvoy() {
    seen().reset();
    kit::take_envoy_log();
  }
  ~FilterInEnvoy() override {
    EXPECT_TRUE(worker_.run_until([] { return seen().handlers == 0 && schedulers() == 0; }));
  }

  std::shared_ptr<Stream> stream(const std::shared_ptr<Config>& config, Headers more = {},
                                 Around around = {}) {
    EXPECT_TRUE(config->taken()) << ::testing::PrintToString(kit::take_envoy_log());
    Headers headers{{":method", "POST"}, {":path", "/a"}, {"content-length", "5"}};
    headers.insert(headers.end(), more.begin(), more.end());
    return Stream::make(worker_, config, std::move(headers), std::move(around));
  }
  bool until(const std::function<bool()>& done) { return worker_.run_until(done); }

  Worker worker_;
};

}  // namespace extproc::fake
