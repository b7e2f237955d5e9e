#include "envoy/kit/cases/script_peer.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <utility>

#include "envoy/kit/cases/reply_json.h"
#include "wire/oracle.h"

namespace extproc::testing::cases {
namespace {

namespace oracle = wire::oracle;

constexpr int kFullDuplexStreamed = 4;

google::protobuf::Message* child(google::protobuf::Message* message, const std::string& field) {
  return message->GetReflection()->MutableMessage(message,
                                                  message->GetDescriptor()->FindFieldByName(field));
}

}  // namespace

ScriptPeer::ScriptPeer(const Case& played) {
  for (const auto& step : played.data["processor"])
    steps_.push_back({step["phase"].Scalar(), step["do"]});
}

void ScriptPeer::open(Time /*now*/) { modes_.clear(); }

void ScriptPeer::send(std::string message, Time now) {
  const auto request = oracle::from_bytes("ProcessingRequest", message);
  const std::string phase = oracle::chosen(*request, "request");
  if (oracle::has(*request, "protocol_config")) {
    const auto& config = oracle::sub(*request, "protocol_config");
    modes_ = {{"request", oracle::number(config, "request_body_mode")},
              {"response", oracle::number(config, "response_body_mode")}};
  }
  const auto step = std::find_if(steps_.begin(), steps_.end(), [&](const Step& other) {
    return !other.done && other.phase == phase;
  });
  if (step != steps_.end()) {
    step->done = true;
    return act(step->actions, now);
  }
  if (oracle::flag(*request, "observability_mode")) return;
  add(now, {.is_reply = true, .bytes = default_reply(phase, message)});
}

// Go on, change nothing.
std::string ScriptPeer::default_reply(const std::string& phase, const std::string& message) const {
  const auto reply = oracle::new_message("ProcessingResponse");
  auto* answer = child(reply.get(), phase);
  const std::string direction = phase.substr(0, phase.find('_'));
  const auto mode = modes_.find(direction);
  if (phase.ends_with("body") && mode != modes_.end() && mode->second == kFullDuplexStreamed) {
    const auto request = oracle::from_bytes("ProcessingRequest", message);
    const auto& sent = oracle::sub(*request, phase);
    auto* echoed = child(child(child(answer, "response"), "body_mutation"), "streamed_response");
    const auto* type = echoed->GetDescriptor();
    echoed->GetReflection()->SetString(echoed, type->FindFieldByName("body"),
                                       oracle::text(sent, "body"));
    echoed->GetReflection()->SetBool(echoed, type->FindFieldByName("end_of_stream"),
                                     oracle::flag(sent, "end_of_stream"));
  }
  return reply->SerializeAsString();
}

void ScriptPeer::act(const YAML::Node& actions, Time now) {
  for (const auto& action : actions) {
    if (action["wait"]) {
      now += std::chrono::duration_cast<Time>(
          std::chrono::duration<double>(action["wait"].as<double>()));
      // Two waits never end at once: what one brings about comes before the end of the other.
      now += Time(++waits_);
    } else if (action["end"]) {
      add(now, {.is_reply = false,
                .bytes = {},
                .grpc_status = std::stoi(text_of(action["end"]["status"], "0")),
                .grpc_message = text_of(action["end"]["message"])});
    } else if (action["reset"]) {
      // What gRPC makes of RST_STREAM.
      add(now, {.is_reply = false, .bytes = {}, .grpc_status = 13});
    } else {
      add(now, {.is_reply = true, .bytes = reply_bytes(action)});
    }
  }
}

void ScriptPeer::add(Time at, envoy::PeerEvent event) {
  const auto later = std::upper_bound(events_.begin(), events_.end(), at,
                                      [](Time time, const Due& due) { return time < due.at; });
  events_.insert(later, {at, std::move(event)});
}

std::optional<envoy::PeerEvent> ScriptPeer::next(Time& now, Time /*limit*/, bool /*more*/) {
  if (events_.empty() || events_.front().at > now) return std::nullopt;
  envoy::PeerEvent event = std::move(events_.front().event);
  events_.erase(events_.begin());
  return event;
}

std::optional<ScriptPeer::Time> ScriptPeer::next_time() const {
  if (events_.empty()) return std::nullopt;
  return events_.front().at;
}

}  // namespace extproc::testing::cases
