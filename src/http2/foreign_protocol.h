#pragma once

#include <string_view>

namespace extproc::http2 {

/// What a peer speaks whose first bytes, all that came in one read, are not HTTP/2's preface: for
/// the log, with what to do.
std::string_view foreign_protocol(std::string_view bytes);

/// The same where TLS was to come; empty where it may have.
std::string_view foreign_to_tls(std::string_view bytes);

}  // namespace extproc::http2
