#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "extproc/detail/event_loop.h"
#include "extproc/host.h"
#include "filter/attributes.h"
#include "filter/envoy_tracer.h"
#include "filter/statistics.h"
#include "filter/worker_loop.h"
#include "host/access.h"

namespace extproc::filter {

class Filter;

/// What the requests of one filter on one of Envoy's workers share.
class Worker {
 public:
  /// `filter` must outlive it. On the worker.
  explicit Worker(Filter& filter);

  host::Host& host() { return host_; }
  /// Null where no handler waits.
  const std::shared_ptr<WorkerLoop>& loop() const { return loop_; }
  Counters& counters() { return detail::HostAccess::counters(host_); }
  Statistics::Told& told() { return told_; }
  Statistics::Outlived& outlived() { return outlived_; }
  /// The headers of the message that is being read.
  std::vector<Header>& read_headers() { return read_headers_; }
  MetadataKinds& kinds() { return kinds_; }
  EnvoyTracer& tracer() { return tracer_; }

 private:
  const std::shared_ptr<WorkerLoop> loop_;
  std::optional<detail::EventLoop> events_;
  EnvoyTracer tracer_;
  host::Host host_;
  Statistics::Told told_;
  Statistics::Outlived outlived_;
  std::vector<Header> read_headers_;
  MetadataKinds kinds_;
};

}  // namespace extproc::filter
