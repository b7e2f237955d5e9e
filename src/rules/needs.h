#pragma once

#include "extproc/filter_settings.h"
#include "extproc/needs.h"

namespace extproc::rules {

/// What one filter for two processors needs, but for the modes of bodies: those of the first, and
/// where it states none, of the second.
Needs together(Needs first, const Needs& second);

/// Whether they state two different modes for a body, which one filter cannot have.
bool contradict(const Needs& first, const Needs& second);

/// `settings`, and where they are Envoy's default what is needed.
FilterSettings filled_in(FilterSettings settings, const Needs& needs);

}  // namespace extproc::rules
