#include "host/needs_of.h"

#include <utility>

#include "rules/needs.h"

namespace extproc::host {

Needs needs_of(const detail::Dispatcher& dispatcher) {
  const auto links = dispatcher.links();
  if (links.empty()) return dispatcher.needs();
  Needs all = links.front()->needs();
  for (const auto& link : links.subspan(1)) all = rules::together(std::move(all), link->needs());
  return all;
}

}  // namespace extproc::host
