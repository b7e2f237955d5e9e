#pragma once

#include <cstdlib>
#include <string>
#include <utility>

namespace extproc::server::testing {

/// An environment variable that is set for as long as it lives.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_.c_str()); }

 private:
  const std::string name_;
};

}  // namespace extproc::server::testing
