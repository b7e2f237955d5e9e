#pragma once

#include "extproc/response.h"

namespace extproc::chain {

/// Adds what an answer carries besides changes and modes to `all`.
inline void merge_extras(ResponseExtras& all, const ResponseExtras& more) {
  for (const auto& [name, value] : more.dynamic_metadata)
    all.add_dynamic_metadata(name, value.view());
  all.typed_dynamic_metadata.insert(all.typed_dynamic_metadata.end(),
                                    more.typed_dynamic_metadata.begin(),
                                    more.typed_dynamic_metadata.end());
  all.drain_requests |= more.drain_requests;
  all.drain_responses |= more.drain_responses;
}

}  // namespace extproc::chain
