#pragma once

#include <span>
#include <string>

#include "admin/http_message.h"
#include "metrics/families.h"

namespace extproc::server {

/// A server, as Settings::metrics shows it. Asked on the thread of that address.
class MetricsSource {
 public:
  virtual const std::string& name() const = 0;
  /// Its health is SERVING.
  virtual bool ready() const = 0;
  virtual void collect(metrics::Families& families) const = 0;

 protected:
  ~MetricsSource() = default;
};

/// What /metrics, /healthz and /readyz say of all servers that share the address.
admin::HttpResponse answer_metrics(const admin::HttpRequest& request,
                                   std::span<MetricsSource* const> servers);

}  // namespace extproc::server
