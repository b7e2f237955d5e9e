#pragma once

#include <string>
#include <string_view>

#include "extproc/headers.h"
#include "extproc/immediate_response.h"
#include "extproc/response.h"

namespace extproc::exchange {

/// Puts `name` before what the chain header holds: filters see the response in reverse, so the list
/// then reads in the order of the request. `buffer` is only for its memory.
void add_to_chain(std::string_view header, std::string_view name, const HttpHeaders& headers,
                  HeadersResponse& response, std::string& buffer);

/// In an immediate response nothing came from upstream that could be trusted: the header holds this
/// name alone, also when the handler copies the request's headers into its answer.
void set_chain(std::string_view header, std::string_view name, ImmediateResponse& response);

}  // namespace extproc::exchange
