#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "extproc/testing.h"

namespace extproc::testing {

EnvoyHeaders envoy_headers(HeaderList entries) { return {std::move(entries)}; }

EnvoyBody envoy_body(std::string_view body) { return {{std::string(body)}}; }

EnvoyBody envoy_body(std::span<const std::byte> body) {
  return {{std::string(reinterpret_cast<const char*>(body.data()), body.size())}};
}

EnvoyBody envoy_body(std::vector<std::string> chunks) { return {std::move(chunks)}; }

std::map<std::string, std::string> envoy_set_headers_to_dict(const ProcessingResponse& response) {
  std::map<std::string, std::string> headers;
  for (std::size_t i = 0; i < response.header_mutation.size(); ++i) {
    const auto [operation, name, value] = response.header_mutation.at(i);
    std::string key(name);
    const auto existing = headers.find(key);
    if (operation == HeaderMutation::Operation::append && existing != headers.end()) {
      existing->second.append(",").append(value);
    } else if (operation != HeaderMutation::Operation::remove) {
      headers[std::move(key)] = value;
    }
  }
  return headers;
}

std::vector<std::string> envoy_removed_headers(const ProcessingResponse& response) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < response.header_mutation.size(); ++i) {
    const auto entry = response.header_mutation.at(i);
    if (entry.operation == HeaderMutation::Operation::remove) names.emplace_back(entry.name);
  }
  return names;
}

const ProcessingResponse* ProcessResult::find(Phase phase) const {
  const auto found =
      std::find_if(responses.rbegin(), responses.rend(),
                   [phase](const ProcessingResponse& response) { return response.phase == phase; });
  return found == responses.rend() ? nullptr : &*found;
}

const ImmediateResponse* ProcessResult::immediate_response() const {
  if (responses.empty() || !responses.back().immediate_response) return nullptr;
  return &*responses.back().immediate_response;
}

}  // namespace extproc::testing
