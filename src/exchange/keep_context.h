#pragma once

#include "base/access.h"
#include "extproc/context.h"
#include "extproc/host.h"

namespace extproc::exchange {

/// Has `context` tell from now on what `message` says of the HTTP request besides its phase.
inline void keep_context(Context& context, const host::Message& message) {
  detail::MessageContext& kept = detail::Access::messages(context);
  kept.observability_mode = message.observability_mode;
  if (message.source == nullptr) return;
  if (message.has_attributes) message.source->store_attributes(kept.some_data().attributes);
  // Envoy sends an empty one where it has none.
  if (message.has_metadata && (kept.data || message.metadata_bytes > 0))
    message.source->store_metadata(kept.some_data().metadata);
}

}  // namespace extproc::exchange
