#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "server/admin_view.h"
#include "server/configuration.h"
#include "server/operator_http.h"
#include "server/settings_in_force.h"
#include "server/worker.h"

namespace extproc::server {

/// A server's part in the admin service: opens its address, and shows the server there.
class ServerAdmin final : private AdminView {
 public:
  /// What it shows; all must outlive it.
  struct Shown {
    const std::string& name;
    const Configuration& configuration;
    const Logger& logger;
    const SettingsInForce& settings;
    const std::vector<std::unique_ptr<Worker>>& workers;
    std::function<Stats()> stats;
    std::function<void(LogLevel, std::string_view source)> set_log_level;
  };

  /// Opens the address of the configuration, which has one. Throws Error where it cannot be had.
  explicit ServerAdmin(Shown shown);

  /// The server has started, at `address`, and is shown from then on.
  void join(std::string address);
  /// Its threads are about to go.
  void leave() { http_.leave(); }

 private:
  const std::string& name() const override { return shown_.name; }
  std::string address() const override { return address_; }
  std::vector<SettingInForce> settings() const override { return shown_.settings.shown(address_); }
  Stats stats() const override { return shown_.stats(); }
  std::vector<std::future<OpenStreams>> open_streams(std::size_t most) const override;
  const Transport* transport() const override;
  LogLevel log_level() const override { return shown_.logger.level(); }
  void set_log_level(LogLevel level, std::string_view source) override {
    shown_.set_log_level(level, source);
  }

  const Shown shown_;
  std::string address_;
  OperatorHttp<AdminView> http_;
};

}  // namespace extproc::server
