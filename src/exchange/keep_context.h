#pragma once

#include "base/access.h"
#include "extproc/context.h"
#include "extproc/host.h"

namespace extproc::exchange {

/// Takes over what `message` says of the HTTP request besides its phase.
inline void keep_data(detail::MessageContext& kept, const host::Message& message) {
  if (message.source == nullptr) return;
  if (message.has_attributes) {
    const bool of_response = message.phase && !is_request_phase(*message.phase);
    message.source->store_attributes(kept.some_data().attributes[of_response ? 1 : 0].replace());
  }
  // Envoy sends an empty one where it has none.
  if (message.has_metadata && (kept.data || message.metadata_bytes > 0))
    message.source->store_metadata(kept.some_data().metadata.replace());
}

/// Has `context` tell that from now on.
inline void keep_context(Context& context, const host::Message& message) {
  detail::MessageContext& kept = detail::Access::messages(context);
  kept.observability_mode = message.observability_mode;
  keep_data(kept, message);
}

}  // namespace extproc::exchange
