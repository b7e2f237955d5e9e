#pragma once

#include <optional>
#include <string>

#include "envoy/kit/connection_manager.h"
#include "envoy/kit/filter.h"
#include "envoy/kit/peer.h"
#include "extproc/testing/envoy.h"

namespace extproc::testing::envoy {

using envoy_config::FilterConfig;

/// Envoy with the ext_proc filter.
class Simulation final : public ConnectionManager, private ProcessorStream {
 public:
  /// All must outlive it.
  Simulation(const FilterConfig& config, const EnvoyOptions& options, const Exchange& exchange,
             ProcessorPeer& peer);

 private:
  // ConnectionManager
  bool take_from_processor(Time most, bool more) override;
  std::optional<Time> next_timer() const override;
  void on_time() override;
  bool is_full(Side side) const override { return filter_.is_full(side); }
  void destroy_filter() override { filter_.destroy(); }
  void finish() override { peer_.finish(); }

  // ProcessorStream
  void open_stream() override;
  void send_message(std::string bytes) override;
  void close_stream() override;

  ProcessorPeer& peer_;
  Filter filter_;
  bool stream_open_ = false;
};

}  // namespace extproc::testing::envoy
