#pragma once

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "oracle.h"

namespace extproc::wire {

/// What the library writes, and what it should be in protobuf's text format.
struct Case {
  const char* what;
  std::function<void(std::string&)> write;
  std::string expected;
};

/// Fails unless the bytes are that ProcessingResponse to libprotobuf.
inline void expect_response(const std::string& bytes, const std::string& expected_text) {
  const auto actual = oracle::from_bytes("ProcessingResponse", bytes);
  ASSERT_NE(actual, nullptr);
  const auto expected = oracle::from_text("ProcessingResponse", expected_text);
  std::string difference;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  EXPECT_TRUE(differencer.Compare(*expected, *actual)) << difference;
}

}  // namespace extproc::wire
