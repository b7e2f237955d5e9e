#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "envoy/kit/cases/case_file.h"
#include "envoy/kit/peer.h"

namespace extproc::testing::cases {

/// A processor that does what a case's script says, legal or not.
class ScriptPeer final : public envoy::ProcessorPeer {
 public:
  explicit ScriptPeer(const Case& played);

  void open(Time now) override;
  void send(std::string message, Time now) override;
  void close() override { events_.clear(); }
  std::optional<envoy::PeerEvent> next(Time& now, Time limit, bool more) override;
  std::optional<Time> next_time() const override;

 private:
  struct Step {
    std::string phase;
    YAML::Node actions;
    // Not erased: assigning a YAML::Node changes what others refer to.
    bool done = false;
  };
  struct Due {
    Time at;
    envoy::PeerEvent event;
  };

  void act(const YAML::Node& actions, Time now);
  void add(Time at, envoy::PeerEvent event);
  std::string default_reply(const std::string& phase, const std::string& message) const;

  std::vector<Step> steps_;
  // In order of time; a wait delays what comes after it in its step.
  std::vector<Due> events_;
  std::map<std::string, int> modes_;
  int waits_ = 0;
};

}  // namespace extproc::testing::cases
