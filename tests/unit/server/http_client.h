#pragma once

#include <string>
#include <string_view>

namespace extproc::server::testing {

struct HttpAnswer {
  /// 0 where nobody answered.
  int status = 0;
  std::string head{};
  std::string body{};
};

/// One request over a connection of its own. `address` is as parse_listen_address() takes it;
/// `headers` are whole lines, each with its end, besides Host and Connection; a Host among them
/// stands in for the address.
HttpAnswer ask(const std::string& address, std::string_view method, std::string_view target,
               const std::string& headers = {}, std::string_view body = {});
inline HttpAnswer get(const std::string& address, std::string_view target,
                      const std::string& headers = {}) {
  return ask(address, "GET", target, headers);
}

}  // namespace extproc::server::testing
