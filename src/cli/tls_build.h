#pragma once

#include <string>
#include <string_view>

namespace extproc::cli {

/// Why the flag cannot be had in a build without TLS; empty in one with it. The flags are there in
/// both, so that they can be refused with a reason.
std::string why_no_tls(std::string_view flag);

}  // namespace extproc::cli
