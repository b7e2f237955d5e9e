#include "exchange/held_headers.h"

#include "base/access.h"
#include "base/merge_extras.h"
#include "rules/reply_rules.h"

namespace extproc::exchange {

const std::optional<ImmediateResponse>& HeldHeaders::otherwise() const {
  return detail::Access::body_wait(answer())->otherwise;
}

void HeldHeaders::take(const BodyResponse& asked) const {
  const HeaderMutation& changes = asked.header_mutation();
  for (std::size_t i = 0; i < changes.size(); ++i) answer().header_mutation().add(changes.at(i));
  if (asked.is_route_cache_cleared()) answer().clear_route_cache();
  if (const ResponseExtras* extras = asked.extras_or_null())
    merge_extras(detail::Access::extras(answer()), *extras);
}

bool flows_both_ways(const Request& request, const HttpHeaders& headers) {
  return request.method() == "CONNECT" || rules::is_grpc(request.content_type()) ||
         headers.value("upgrade").has_value();
}

}  // namespace extproc::exchange
