#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "metrics/families.h"

namespace extproc::metrics {

/// How a scrape is written.
enum class Format : std::uint8_t {
  text,         ///< Prometheus's text format 0.0.4
  openmetrics,  ///< OpenMetrics 1.0, which alone has units and exemplars
};

/// What a client wants that sends `accept`: text, unless it likes OpenMetrics at least as well.
Format format_for(std::string_view accept);
std::string_view content_type(Format format);

std::string write(const Families& families, Format format);

}  // namespace extproc::metrics
