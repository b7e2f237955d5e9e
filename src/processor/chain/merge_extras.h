#pragma once

#include "extproc/response.h"

namespace extproc::detail {

/// Adds what an answer carries besides changes and modes to `all`.
inline void merge_extras(ResponseExtras& all, const ResponseExtras& more) {
  all.dynamic_metadata.insert(all.dynamic_metadata.end(), more.dynamic_metadata.begin(),
                              more.dynamic_metadata.end());
  all.typed_dynamic_metadata.insert(all.typed_dynamic_metadata.end(),
                                    more.typed_dynamic_metadata.begin(),
                                    more.typed_dynamic_metadata.end());
  all.drain_requests |= more.drain_requests;
  all.drain_responses |= more.drain_responses;
}

}  // namespace extproc::detail
