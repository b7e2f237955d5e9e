#pragma once

#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/logger.h"
#include "extproc/service.h"
#include "extproc/settings_file.h"
#include "server/configuration.h"
#include "server/serve.h"
#include "settings_file/combine.h"
#include "settings_file/errors.h"

namespace extproc::settings_file {

/// Where settings come from.
struct Source {
  /// Of the file.
  std::string path{};
  Overlay flags{};
  /// Gives how processors are made, which may hang on where their modules are: the folders of
  /// flags and of the file, in their order.
  std::function<MakeProcessor(const std::vector<std::string>& module_path)> maker{};
};

/// One setting that counts, for people.
struct InForce {
  std::string name;
  std::string value;
  /// "serve.yaml:12", "--threads", "GRPC_PORT".
  std::string source;
};

/// A service as it would run.
struct Described {
  /// Several are a chain.
  std::vector<Service> processors;
  /// The same, as the file has them.
  std::vector<PlannedProcessor> planned;
  std::vector<std::string> module_path;
  /// What counts for it, of the file, of what is stronger and of the environment.
  server::Configuration configuration;
  bool speaks_tls = false;
};

/// What is served from a file, and what becomes of it when the file changes.
class Running {
 public:
  explicit Running(Source source) : source_(std::move(source)) {}

  /// Reads the file, and makes all of it. Throws Error.
  std::vector<server::Served> make();
  /// The same, without transports, and nothing of it is to run.
  std::vector<Described> describe() const;
  /// Reads it again. On one thread.
  void reload(const server::Servers& servers, const Logger& logger);
  /// Of each service what it is called, and what is given; after make(). Any thread.
  std::vector<std::pair<std::string, std::vector<InForce>>> in_force() const;

 private:
  /// A service, as it runs.
  struct Made {
    PlannedService plan;
    /// Of a chain each.
    std::vector<Service> processors;
    std::string name;
  };

  std::vector<PlannedService> read(std::vector<std::string>& module_path) const;
  /// Fewer than were planned where one cannot be made.
  std::vector<Service> make_processors(const PlannedService& plan, const MakeProcessor& make,
                                       Errors& errors) const;

  const Source source_;
  std::vector<std::string> module_path_;
  std::vector<Made> made_;
  /// Of the plans in it, which reload() changes.
  mutable std::mutex mutex_;
};

}  // namespace extproc::settings_file
