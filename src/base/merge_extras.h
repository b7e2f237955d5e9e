#pragma once

#include "extproc/response.h"

namespace extproc {

/// Adds what another answer carries besides changes and modes.
inline void merge_extras(ResponseExtras& into, const ResponseExtras& more) {
  for (const auto& [name, value] : more.dynamic_metadata)
    into.add_dynamic_metadata(name, value.view());
  into.typed_dynamic_metadata.insert(into.typed_dynamic_metadata.end(),
                                     more.typed_dynamic_metadata.begin(),
                                     more.typed_dynamic_metadata.end());
  into.drain_requests |= more.drain_requests;
  into.drain_responses |= more.drain_responses;
}

}  // namespace extproc
