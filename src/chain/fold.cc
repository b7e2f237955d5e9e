#include "chain/fold.h"

#include "base/access.h"
#include "base/merge_extras.h"
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
  merge_extras(*extras, *more);
}

void Fold::write(PhaseResponse& answer, std::string_view spare) const {
  changes.write_all(answer.header_mutation(), spare);
  if (extras) detail::Access::extras(answer) = *extras;
}

}  // namespace extproc::chain
