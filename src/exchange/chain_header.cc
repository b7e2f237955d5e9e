#include "exchange/chain_header.h"

#include <vector>

#include "base/header_name.h"

namespace extproc::exchange {

void add_to_chain(std::string_view header, std::string_view name, const HttpHeaders& headers,
                  HeadersResponse& response, std::string& buffer) {
  buffer.assign(name);
  for (const Header& entry : headers) {
    if (entry.value.empty() || !same_name(entry.name, header)) continue;
    buffer.push_back(',');
    buffer.append(entry.value);
  }
  response.set_header(header, buffer);
}

void set_chain(std::string_view header, std::string_view name, ImmediateResponse& response) {
  std::erase_if(response.headers,
                [&](const auto& entry) { return same_name(entry.first, header); });
  response.headers.emplace_back(header, name);
}

}  // namespace extproc::exchange
