#pragma once

#include <string>

namespace bench {

/// The messages of a stream as Envoy 1.40 sends them for a plain GET.
std::string request_headers_message();
std::string response_headers_message();

}  // namespace bench
