#include "filter/statistics.h"

#include "filter/abi.h"

namespace extproc::filter {

Statistics::Statistics(void* envoy_config) {
  if (envoy_config == nullptr) return;
  defined_ = true;
  std::size_t* id = counters_.data();
  const auto define = [&](auto* callback, std::string_view name) {
    defined_ &= callback(envoy_config, abi::bytes(name), nullptr, 0, id++) == 0;
  };
#define EXTPROC_DEFINE(name) define(&EXTPROC_ENVOY_CALL(http_filter_config_define_counter), #name);
  EXTPROC_FILTER_COUNTERS(EXTPROC_DEFINE)
#undef EXTPROC_DEFINE
  id = gauges_.data();
#define EXTPROC_DEFINE(name) define(&EXTPROC_ENVOY_CALL(http_filter_config_define_gauge), #name);
  EXTPROC_FILTER_GAUGES(EXTPROC_DEFINE)
#undef EXTPROC_DEFINE
}

void Statistics::tell(void* envoy, const Counters& counters, const Outlived& outlived,
                      Told& told) const {
  if (!defined_) return;
  std::size_t i = 0;
  const auto count = [&](const Counter& counter) {
    const std::uint64_t now = counter.value();
    const std::uint64_t before = told.counters[i];
    told.counters[i] = now;
    const std::size_t id = counters_[i++];
    if (now != before)
      EXTPROC_ENVOY_CALL(http_filter_increment_counter)(envoy, id, nullptr, 0, now - before);
  };
#define EXTPROC_COUNT(name) count(counters.name);
  EXTPROC_FILTER_COUNTERS(EXTPROC_COUNT)
#undef EXTPROC_COUNT
  i = 0;
  const auto gauge = [&](std::uint64_t now) {
    const std::uint64_t before = told.gauges[i];
    told.gauges[i] = now;
    const std::size_t id = gauges_[i++];
    if (now > before)
      EXTPROC_ENVOY_CALL(http_filter_increment_gauge)(envoy, id, nullptr, 0, now - before);
    if (now < before)
      EXTPROC_ENVOY_CALL(http_filter_decrement_gauge)(envoy, id, nullptr, 0, before - now);
  };
#define EXTPROC_COUNT(name) gauge(counters.name.value() - outlived.name);
  EXTPROC_FILTER_GAUGES(EXTPROC_COUNT)
#undef EXTPROC_COUNT
}

}  // namespace extproc::filter
