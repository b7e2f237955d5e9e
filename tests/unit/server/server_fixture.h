#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "extproc/processor.h"
#include "extproc/server.h"
#include "server/socket_client.h"

namespace extproc::server::testing {

/// A server on a port that the system chooses, and what it logs.
class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    settings.listen = "127.0.0.1:0";
    settings.threads = 2;
    settings.log_level = LogLevel::debug;
    settings.log = [this](LogLevel level, std::string_view message) {
      const std::lock_guard lock(log_mutex_);
      log_.push_back(std::string(to_string(level)) + " " + std::string(message));
    };
  }

  Server& start(Service service = Service::make<BaseExtProcService>()) {
    server_ = std::make_unique<Server>(std::move(service), settings);
    server_->start();
    return *server_;
  }

  SocketClient connect() { return SocketClient(server_->port()); }

  /// A connection of which the server knows that the handshake is over.
  std::unique_ptr<SocketClient> connected() {
    auto client = std::make_unique<SocketClient>(server_->port());
    client->call(kCheck, "");
    return client;
  }

  std::vector<std::string> log() {
    const std::lock_guard lock(log_mutex_);
    return log_;
  }

  Settings settings;

 private:
  std::mutex log_mutex_;
  std::vector<std::string> log_;

 protected:
  // Last, so that it is gone before what its threads log to.
  std::unique_ptr<Server> server_;
};

}  // namespace extproc::server::testing
