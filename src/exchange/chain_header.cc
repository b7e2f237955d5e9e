#include "exchange/chain_header.h"

#include <vector>

#include "base/header_name.h"
#include "rules/header_rules.h"

namespace extproc::exchange {

void add_to_chain(const Environment& env, Scratch& call) {
  const std::string& header = env.settings.chain_header;
  call.text.assign(env.dispatcher.name());
  for (const Header& entry : call.headers) {
    if (entry.value.empty() || !same_name(entry.name, header)) continue;
    call.text.push_back(',');
    call.text.append(entry.value);
  }
  call.headers_response.set_header(header, call.text);
}

namespace {

void erase(std::string_view header, ImmediateResponse& response) {
  std::erase_if(response.headers,
                [&](const auto& entry) { return same_name(entry.first, header); });
}

}  // namespace

void set_chain(std::string_view header, std::string_view name, ImmediateResponse& response) {
  erase(header, response);
  response.headers.emplace_back(header, name);
  fit_chain(header, response);
}

void fit_chain(std::string_view header, ImmediateResponse& response) {
  if (response.headers.size() > rules::kMostMutations) erase(header, response);
}

}  // namespace extproc::exchange
