#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace extproc::cli {

/// The body of Envoy's answer to a GET, when it answers with 200. `address` is "127.0.0.1:9901",
/// "[::1]:9901" or the path of a socket.
std::optional<std::string> get_admin_page(const std::string& address, std::string_view path);

}  // namespace extproc::cli
