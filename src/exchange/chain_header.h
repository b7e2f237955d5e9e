#pragma once

#include <string_view>

#include "exchange/environment.h"
#include "extproc/immediate_response.h"

namespace extproc::exchange {

/// Puts the processor's name before what the chain header of the response's headers holds: filters
/// see the response in reverse, so the list then reads in the order of the request. Where the
/// response has no room for it, the AnswerChecker leaves it out.
void add_to_chain(const Environment& env, Scratch& call);

/// In an immediate response nothing came from upstream that could be trusted: the header holds this
/// name alone, also when the handler copies the request's headers into its answer.
void set_chain(std::string_view header, std::string_view name, ImmediateResponse& response);

/// Leaves it out where Envoy would take no header for it.
void fit_chain(std::string_view header, ImmediateResponse& response);

}  // namespace extproc::exchange
