// tests/rules/rules.yaml: what the library, the kit's Envoy, `extproc check` and the texts say of
// each rule.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "envoy/check/check_base.h"
#include "extproc/async.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"

namespace extproc {
namespace {

using testing::EnvoyResult;
using ::testing::HasSubstr;

const YAML::Node& table() {
  static const YAML::Node rules = YAML::LoadFile(EXTPROC_SOURCE "/tests/rules/rules.yaml");
  return rules;
}

std::string read(const std::string& path) {
  std::ifstream file(EXTPROC_SOURCE "/" + path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_FALSE(text.empty()) << path;
  return text;
}

BodySendMode mode_of(const std::string& name) {
  for (int number = 0; number < 6; ++number) {
    if (to_string(static_cast<BodySendMode>(number)) == name)
      return static_cast<BodySendMode>(number);
  }
  throw std::runtime_error("no mode " + name);
}

/// One act as words: "set", "x-a", "1".
struct Act {
  explicit Act(const std::string& text) {
    std::istringstream words(text);
    words >> verb >> name;
    words.ignore(1);
    std::getline(words, value, '\0');
  }
  int number() const { return std::stoi(name); }
  std::chrono::milliseconds time() const { return std::chrono::milliseconds(number()); }

  std::string verb, name, value;
};

using Acts = std::vector<Act>;

void many(const Act& act, PhaseResponse& r) {
  for (int i = 0; i < act.number(); ++i) {
    const std::string name = "x-" + std::to_string(i);
    act.verb == "sets" ? r.set_header(name, "") : r.remove_header(name);
  }
}

bool act_out_headers(const Act& act, HeadersResponse& r) {
  if (act.verb == "replace") {
    r.continue_and_replace(act.name);
  } else if (act.verb == "stream") {
    r.respond_streaming(act.number()).finish();
  } else if (act.verb == "override") {
    ModeOverride mode;
    (act.name == "request_body" ? mode.request_body_mode : mode.response_body_mode) =
        mode_of(act.value);
    r.override_mode(mode);
  } else if (act.verb == "clear_route_cache") {
    r.clear_route_cache();
  } else {
    return false;
  }
  return true;
}

void ask(const std::string& what, const Context& context) {
  if (what == "metadata") return static_cast<void>(context.metadata("x-a"));
  if (what == "deadline") return static_cast<void>(context.deadline());
  if (what == "peer_certificate") return static_cast<void>(context.peer_certificate());
  if (what == "peer") return static_cast<void>(context.peer());
  throw std::runtime_error("nobody can ask " + what);
}

void act_out(const Act& act, const Context& context, PhaseResponse& r) {
  if (act.verb == "ask") return ask(act.name, context);
  if (act.verb == "set") return r.set_header(act.name, act.value);
  if (act.verb == "append") return r.append_header(act.name, act.value);
  if (act.verb == "remove") return r.remove_header(act.name);
  if (act.verb == "sets" || act.verb == "removes") return many(act, r);
  if (act.verb == "respond") return r.respond({.status = act.number()});
  throw std::runtime_error("no act " + act.verb + " here");
}

Task<> wait(const Act& act, Context& context, PhaseResponse& r) {
  r.fall_back_after(std::chrono::milliseconds(std::stoi(act.value)));
  boost::asio::steady_timer timer(executor(context), act.time());
  co_await timer.async_wait(boost::asio::deferred);
}

template <Phase phase>
void add_headers(Handlers& handlers, const Acts& acts) {
  handlers.process<phase>(
      [acts](const HttpHeaders&, Context& context, Request&, HeadersResponse& r) -> Task<> {
        for (const Act& act : acts) {
          if (act.verb == "wait") {
            co_await wait(act, context, r);
          } else if (act.verb == "wait_for_body") {
            r.wait_for_body();
          } else if (!act_out_headers(act, r)) {
            act_out(act, context, r);
          }
        }
      });
}

// It takes that time.
void add_decider(Handlers& handlers, const Acts& acts) {
  for (const Act& act : acts) {
    if (act.verb != "wait_for_body") continue;
    handlers.process<Phase::request_body>(
        [time = act.time()](BodyStream& body, Context& context, Request&) -> Task<> {
          boost::asio::steady_timer timer(executor(context), time);
          if (time.count() > 0) co_await timer.async_wait(boost::asio::deferred);
          while (auto chunk = co_await body.read()) body.write(chunk->body());
        });
  }
}

template <Phase phase>
void add_body(Handlers& handlers, const Acts& acts, bool over_stream) {
  if (!over_stream) {
    handlers.process<phase>([acts](auto&, auto& context, auto&, auto& r) {
      for (const Act& act : acts) act_out(act, context, r);
    });
    return;
  }
  handlers.process<phase>([acts](BodyStream& body, Context& context, Request&) -> Task<> {
    while (auto chunk = co_await body.read()) body.write(chunk->body());
    for (const Act& act : acts)
      act.verb == "write" ? body.write(act.name) : act_out(act, context, body.response());
  });
}

/// What an example leaves out stands in the one that it is a twin of.
YAML::Node key(const YAML::Node& example, const YAML::Node& twin, const char* name) {
  return example[name] ? example[name] : twin[name];
}

EnvoyResult play(const YAML::Node& example, const YAML::Node& twin) {
  Acts acts;
  for (const auto& act : key(example, twin, "act")) acts.emplace_back(act.as<std::string>());
  const auto over = key(example, twin, "over");
  const auto is_over = [&](const char* what) { return over && over.as<std::string>() == what; };
  const bool over_stream = is_over("stream");
  const auto phase = key(example, twin, "phase").as<std::string>();
  Handlers handlers("P");
  if (phase == "request_headers") {
    add_headers<Phase::request_headers>(handlers, acts);
    add_decider(handlers, acts);
  } else if (phase == "response_headers") {
    add_headers<Phase::response_headers>(handlers, acts);
  } else if (phase == "request_body") {
    add_body<Phase::request_body>(handlers, acts, over_stream);
  } else if (phase == "response_body") {
    add_body<Phase::response_body>(handlers, acts, over_stream);
  } else {
    throw std::runtime_error("no phase " + phase);
  }
  // Beside the phase of the acts.
  if (is_over("body")) add_body<Phase::request_body>(handlers, {}, false);
  const auto filter = key(example, twin, "filter");
  const testing::Envoy envoy(filter ? filter.as<std::string>() : "");
  return envoy.run(Service(handlers), {.request = {.headers = {{":method", "POST"}},
                                                   .body = {"a", "b"},
                                                   .trailers = {{{"x-t", "1"}}}},
                                       .upstream = {.body = {"c", "d"}}});
}

std::set<std::string> refusals(const EnvoyResult& result) {
  std::set<std::string> all;
  for (const auto& refusal : result.refusals) all.insert(refusal.rule);
  return all;
}

std::string spaced(std::string text) {
  std::string line;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word != "///") line += (line.empty() ? "" : " ") + word;
  }
  return line;
}

/// The comment of each rule in rule.h, by its name.
std::map<std::string, std::string> comments() {
  std::istringstream header(read("include/extproc/rule.h"));
  std::map<std::string, std::string> all;
  std::string comment;
  for (std::string line; std::getline(header, line);) {
    const std::string text = spaced(line);
    if (line.find("///") != std::string::npos) {
      comment += line + "\n";
    } else {
      if (text.ends_with(",")) all[text.substr(0, text.size() - 1)] = spaced(comment);
      comment.clear();
    }
  }
  return all;
}

class RuleTable : public ::testing::TestWithParam<unsigned> {
 protected:
  Rule rule() const { return static_cast<Rule>(GetParam()); }
  std::string name() const { return std::string(to_string(rule())); }
  YAML::Node row() const {
    const YAML::Node found = table()[name()];
    if (!found) throw std::runtime_error(name() + " has no row in tests/rules/rules.yaml");
    return found;
  }
};

TEST_P(RuleTable, IsWhatTheLibraryTellsAndTheKitRefuses) {
  const auto kit = row()["kit"];
  const bool resets = kit.IsScalar() && kit.as<std::string>() == "reset";
  const auto expected =
      kit.IsSequence() ? kit.as<std::vector<std::string>>() : std::vector<std::string>{};
  const auto library = row()["library"].as<std::string>();
  const bool only_inside = row()["host"] && row()["host"].as<std::string>() == "inside";
  EXPECT_EQ(library == "sent", resets || !expected.empty() || only_inside);
  EXPECT_TRUE(library == "sent" || library == "left out" || library == "mended") << library;
  ASSERT_GT(row()["examples"].size(), 0U);
  for (const auto& example : row()["examples"]) {
    SCOPED_TRACE(YAML::Dump(example));
    const EnvoyResult broken = play(example["broken"], example["broken"]);
    EXPECT_EQ(broken.violations.empty(), only_inside);
    for (const auto& violation : broken.violations) EXPECT_EQ(violation.rule, rule());
    EXPECT_EQ(refusals(broken), std::set<std::string>(expected.begin(), expected.end()));
    EXPECT_EQ(broken.caller.reset, resets);

    const EnvoyResult kept = play(example["kept"], example["broken"]);
    EXPECT_TRUE(kept.violations.empty()) << to_string(kept.violations[0].rule);
    EXPECT_TRUE(kept.refusals.empty()) << kept.refusals[0].rule << " " << kept.refusals[0].text;
    EXPECT_FALSE(kept.caller.reset);
  }
}

TEST_P(RuleTable, IsWhatCheckFinds) {
  const auto expected = row()["check"];
  if (expected.IsScalar()) {
    EXPECT_EQ(expected.as<std::string>(), "not from the configuration");
    return;
  }
  const std::string sound(envoy_config::kSound);
  auto needs = envoy_config::all_needs();
  EXPECT_TRUE(envoy_config::check(sound, {needs}).empty());
  std::string config = sound;
  if (expected["from"])
    config = envoy_config::exchange(sound, expected["from"].as<std::string>(),
                                    expected["to"].as<std::string>());
  if (expected["chain_header"]) needs.chain_header = expected["chain_header"].as<std::string>();
  if (expected["keeps_length"]) {
    config =
        envoy_config::exchange(config, "mutation_rules: {}", "allow_content_length_header: true");
  }
  if (expected["mode_override"]) {
    needs.filter.allow_mode_override = true;
    config = envoy_config::exchange(config, "mutation_rules: {}", "allow_mode_override: true");
  }
  bool found = false;
  for (const auto& finding : envoy_config::check(config, {needs})) {
    if (finding.rule != expected["finding"].as<std::string>()) continue;
    found = true;
    EXPECT_EQ(finding.severity == envoy_config::kError,
              expected["severity"].as<std::string>() == "error");
  }
  EXPECT_TRUE(found) << expected["finding"];
}

TEST_P(RuleTable, IsWhatTheTextsSay) {
  const auto doc = row()["doc"].as<std::string>();
  EXPECT_THAT(comments()[name()], HasSubstr(doc)) << "include/extproc/rule.h";
  std::string line;
  const std::string text = read("docs/protocol.md");
  std::istringstream page(text.substr(std::min(text.find("## Rules"), text.size())));
  while (std::getline(page, line) && !line.starts_with("| `" + name() + "` |")) {
  }
  EXPECT_THAT(line, HasSubstr(doc)) << "docs/protocol.md, Rules";
  EXPECT_THAT(line, HasSubstr("| " + row()["library"].as<std::string>() + " |"));
}

INSTANTIATE_TEST_SUITE_P(EachRule, RuleTable, ::testing::Range(0U, kRuleCount),
                         [](const auto& tested) {
                           return std::string(to_string(static_cast<Rule>(tested.param)));
                         });

TEST(RuleTables, HaveNoRowOfNoRule) {
  std::set<std::string> names;
  for (unsigned i = 0; i < kRuleCount; ++i) names.emplace(to_string(static_cast<Rule>(i)));
  for (const auto& row : table())
    EXPECT_TRUE(names.contains(row.first.as<std::string>())) << row.first;
  EXPECT_EQ(table().size(), kRuleCount);
}

}  // namespace
}  // namespace extproc
