// Plays the cases of a folder and prints what came of each, one line a case:
//
//   envoy_cases <folder> [recorded]
//
// With a file of recorded lines it prints the cases that differ instead, and fails when there are
// any. A case with `inside`, a filter_config as JSON, has its processor inside Envoy.

#include <chrono>
#include <exception>
#include <fstream>
#include <iostream>
#include <set>
#include <string>

#include "envoy/kit/cases/case_file.h"
#include "envoy/kit/cases/outcome.h"
#include "envoy/kit/cases/script_peer.h"
#include "envoy/kit/filter_yaml.h"
#include "envoy/kit/route.h"
#include "envoy/kit/simulation.h"
#include "extproc/testing/envoy.h"
#include "extproc/testing/exported.h"
#include "extproc/testing/inside_envoy.h"

namespace {

using namespace extproc::testing;
using cases::Case;
using cases::text_of;

HeaderList pairs(const YAML::Node& node) {
  HeaderList list;
  for (const auto& pair : node)
    list.emplace_back(cases::latin1(pair[0].Scalar()), cases::latin1(pair[1].Scalar()));
  return list;
}

HttpMessage message(const YAML::Node& node) {
  HttpMessage message{.headers = pairs(node["headers"])};
  for (auto& header : pairs(node["more_headers"])) message.headers.push_back(header);
  for (const auto& chunk : node["body"]) message.body.push_back(cases::latin1(chunk.Scalar()));
  message.stays_open = text_of(node["open"]) == "true";
  for (const auto& seconds : node["after"]) {
    message.after.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(seconds.as<double>())));
  }
  if (node["trailers"]) message.trailers = pairs(node["trailers"]);
  return message;
}

Pacing pacing(const YAML::Node& node) {
  return text_of(node["pacing"]) == "together" ? Pacing::together : Pacing::one_by_one;
}

std::string flow(const YAML::Node& node) {
  YAML::Emitter emitter;
  emitter << YAML::DoubleQuoted << YAML::Flow << node;
  return emitter.c_str();
}

std::string play(const Case& played) {
  EnvoyOptions options;
  if (const auto limit = text_of(played.data["buffer_limit"]); !limit.empty())
    options.buffer_limit_bytes = std::stoul(limit);
  const std::string filter = flow(played.data["filter"]);

  Exchange exchange{.request = message(played.data["request"]),
                    .upstream = message(played.data["upstream"]),
                    .request_pacing = pacing(played.data["request"]),
                    .upstream_pacing = pacing(played.data["upstream"]),
                    .upstream_answers_early = text_of(played.data["upstream"]["early"]) == "true"};
  for (const auto& metadata : played.data["dynamic_metadata"])
    for (const auto& field : metadata.second)
      exchange.dynamic_metadata[metadata.first.Scalar()][field.first.Scalar()] =
          field.second.Scalar();

  for (const auto& message : played.data["per_route"]) exchange.per_route.push_back(flow(message));

  if (const auto library = text_of(played.data["library"]); !library.empty()) {
    const char* script = library == "Bodies" ? "x-do-bodies" : "x-do";
    for (const auto& action : played.data["do"])
      exchange.request.headers.emplace_back(script, cases::latin1(action.Scalar()));
    const auto inside = text_of(played.data["inside"]);
    return cases::outcome_line(
        played, inside.empty() ? Envoy(filter, options).run(exported(library), exchange)
                               : InsideEnvoy(inside, options).run(exported(library), exchange));
  }
  const auto config = envoy::on_its_route(envoy::read_filter_config(filter), exchange);
  cases::ScriptPeer peer(played);
  return cases::outcome_line(played, envoy::Simulation(config, options, exchange, peer).run());
}

std::set<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::set<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.insert(line);
  return lines;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2 && argc != 3) throw std::runtime_error("usage: envoy_cases <folder> [recorded]");
    const auto all = cases::load_cases(argv[1]);
    std::set<std::string> recorded;
    if (argc == 3) recorded = lines_of(argv[2]);
    int different = 0;
    for (const Case& played : all) {
      std::string line;
      try {
        line = play(played);
      } catch (const std::exception& error) {
        throw std::runtime_error(played.name + ": " + error.what());
      }
      if (recorded.contains(line)) continue;
      std::cout << line << "\n";
      ++different;
    }
    if (argc == 2) return 0;
    std::cout << all.size() << " cases, " << different << " unlike the recorded ones\n";
    return different == 0 && recorded.size() == all.size() ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
