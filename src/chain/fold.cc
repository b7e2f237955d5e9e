#include "chain/fold.h"

#include "base/access.h"
#include "base/recycle.h"

namespace extproc::chain {

void Fold::clear() {
  changes.clear();
  extras.reset();
  clear_route_cache = grpc_message_compressed = complete = false;
  body_change = BodyChange::none;
  recycle(body, kKeptBodyBytes);
}

void Fold::take_extras(const ResponseExtras* more) {
  if (more == nullptr) return;
  if (!extras) extras.emplace();
  for (const auto& [name, value] : more->dynamic_metadata)
    extras->add_dynamic_metadata(name, value.view());
  extras->typed_dynamic_metadata.insert(extras->typed_dynamic_metadata.end(),
                                        more->typed_dynamic_metadata.begin(),
                                        more->typed_dynamic_metadata.end());
  extras->drain_requests |= more->drain_requests;
  extras->drain_responses |= more->drain_responses;
}

void Fold::write(PhaseResponse& answer) const {
  changes.write_all(answer.header_mutation());
  if (extras) detail::Access::extras(answer) = *extras;
}

}  // namespace extproc::chain
