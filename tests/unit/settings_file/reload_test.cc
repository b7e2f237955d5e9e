#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "extproc/processor.h"
#include "log/make_logger.h"
#include "settings_file/running.h"
#include "written.h"

namespace extproc::settings_file {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What processors have taken, each time.
using Taken = std::map<std::string, std::vector<std::string>>;

class Takes final : public Processor {
 public:
  Takes(std::string name, const OwnSettings& settings, Taken& taken)
      : name_(std::move(name)), taken_(taken) {
    reload(settings);
  }
  std::string name() const override { return name_; }
  PhaseSet handled_phases() const { return {Phase::request_headers}; }

  void reload(const OwnSettings& settings) override {
    const auto value = settings.get<std::string>("value");
    if (value == "refused") throw std::runtime_error("no such value");
    taken_[name_].push_back(value);
  }

 private:
  const std::string name_;
  Taken& taken_;
};

class Reload : public ::testing::Test {
 protected:
  /// Makes what the file says, as serve() would.
  void serve(std::string_view text, Overlay flags = {}) {
    file_ = std::make_unique<Written>(text);
    running_ = std::make_unique<Running>(
        Source{.path = file_->path(), .flags = std::move(flags), .maker = [this](const auto&) {
                 return [this](const std::string& name, const OwnSettings& settings) {
                   if (name == "Fixed" || name.empty()) {
                     settings.get_or<std::string>("value", "");
                     return Service::make<BaseExtProcService>();
                   }
                   return Service::make<Takes>(name, settings, taken_);
                 };
               }});
    for (auto& [service, settings] : running_->make()) {
      settings.log = [](LogLevel, std::string_view) {};
      servers_.push_back(std::make_unique<Server>(std::move(service), std::move(settings)));
    }
  }

  /// What is logged, without the name of the folder.
  std::vector<std::string> reloaded(std::string_view text) {
    file_->write(text);
    std::vector<std::string> lines;
    const std::string folder = file_->path().substr(0, file_->path().rfind("settings-"));
    const std::string name = file_->path().substr(folder.size());
    const Logger logger = log::make_logger(
        LogLevel::debug, {.sink = [&](LogLevel level, std::string_view line) {
          std::string shown(line);
          for (std::size_t at = 0; (at = shown.find(folder + name)) != std::string::npos;)
            shown.replace(at, folder.size() + name.size(), "F");
          lines.push_back(std::string(to_string(level)) + " " + shown);
        }});
    running_->reload(servers_, logger);
    return lines;
  }

  Taken taken_;

 private:
  std::unique_ptr<Written> file_;
  std::unique_ptr<Running> running_;
  server::Servers servers_;
};

TEST_F(Reload, WithoutAChangeNothingIsDone) {
  serve("threads: 1\nservices: [{processors: [{name: One, settings: {value: a}}]}]");
  EXPECT_THAT(reloaded("# Another line.\nthreads: 1\n"
                       "services: [{processors: [{name: One, settings: {value: \"a\"}}]}]"),
              ElementsAre("INFO F was read anew: nothing has changed"));
  EXPECT_THAT(taken_["One"], ElementsAre("a"));
}

TEST_F(Reload, LimitsCountAndOthersWait) {
  serve("threads: 1\nlimits: {connections: 5}\n");
  const char* text = "threads: 2\nlimits: {connections: 6,\n  message_bytes: 1m}\n";
  const char* waits =
      "WARNING F:1: threads is \"2\", and \"1\" in what runs, which cannot change while it runs: "
      "it "
      "counts after a restart";
  EXPECT_THAT(reloaded(text),
              ::testing::UnorderedElementsAre(
                  "INFO F:2: limits.connections is \"6\" now, and was \"5\"",
                  "INFO F:3: limits.message_bytes is \"1m\" now, and was at its default", waits));
  // What has not changed since is not told again; what waits is.
  EXPECT_THAT(reloaded(text), ElementsAre(waits));
  EXPECT_THAT(reloaded("threads: 1\nlimits: {connections: 6}\n"),
              ElementsAre("INFO F: limits.message_bytes is at its default now, and was \"1m\""));
}

TEST_F(Reload, FlagsStayStronger) {
  Overlay flags;
  flags.common.given.put({&server::setting_row("limits.connections"), "--connections", "9"});
  serve("limits: {connections: 5}\n", flags);
  EXPECT_THAT(reloaded("limits: {connections: 6}\n"),
              ElementsAre("INFO F was read anew: nothing has changed"));
}

TEST_F(Reload, AWrongFileChangesNothing) {
  serve("limits: {connections: 5}\nservices: [{processors: [{name: One, settings: {value: a}}]}]");
  const auto lines = reloaded(
      "limits: {connections: 6}\nthreds: 1\nservices: [{processors: [{name: One, settings: {value: "
      "b}}]}]");
  EXPECT_THAT(lines, ElementsAre("ERROR F:2: threds is no setting here: did you mean \"threads\"?",
                                 "ERROR F is not taken: what was there counts on"));
  EXPECT_THAT(taken_["One"], ElementsAre("a"));
  EXPECT_THAT(
      reloaded("limits: {connections: 5, message_bytes: 1k,\n buffered_bytes_per_connection: 5}"),
      ElementsAre(HasSubstr("buffered_bytes_per_connection"),
                  "ERROR F is not taken: what was there counts on"));
}

TEST_F(Reload, ProcessorsTakeWhatIsTheirs) {
  serve(
      "services: [{processors: [{name: One, settings: {value: a}}, {name: Two, settings: {value: "
      "a}}]}]");
  EXPECT_THAT(reloaded("services:\n  - processors:\n    - {name: One, settings: {value: b}}\n"
                       "    - {name: Two, settings: {value: a}}\n"),
              ElementsAre("INFO F:3: One has taken its settings"));
  EXPECT_THAT(taken_["One"], ElementsAre("a", "b"));
  EXPECT_THAT(taken_["Two"], ElementsAre("a"));
}

TEST_F(Reload, WhereOneRefusesTheOthersGoBack) {
  const char* before =
      "limits: {connections: 5}\n"
      "services: [{processors: [{name: One, settings: {value: a}}, {name: Two, settings: {value: "
      "a}}]}]";
  serve(before);
  EXPECT_THAT(reloaded("limits: {connections: 6}\n"
                       "services: [{processors: [{name: One, settings: {value: b}},\n"
                       "{name: Two, settings: {value: refused}}]}]"),
              ElementsAre("INFO F:2: One has taken its settings", "ERROR F:3: no such value",
                          "ERROR Two refuses its settings",
                          "ERROR F is not taken: what was there counts on"));
  EXPECT_THAT(taken_["One"], ElementsAre("a", "b", "a"));
  // The one that has taken it goes back for a key that nobody read, too.
  EXPECT_THAT(reloaded("limits: {connections: 5}\n"
                       "services: [{processors: [{name: One, settings: {value: b, valeu: c}},\n"
                       "{name: Two, settings: {value: a}}]}]"),
              ElementsAre("ERROR F:2: settings.valeu is read by nobody: did you mean \"value\"?",
                          "ERROR One refuses its settings",
                          "ERROR F is not taken: what was there counts on"));
  EXPECT_THAT(taken_["One"], ElementsAre("a", "b", "a", "b", "a"));
  EXPECT_THAT(reloaded(before), ElementsAre("INFO F was read anew: nothing has changed"));
}

TEST_F(Reload, WhatCannotChange) {
  serve("services: [{processors: [{name: Fixed, settings: {value: a}}]}]");
  EXPECT_THAT(reloaded("services: [{processors: [{name: Fixed, settings: {value: b}}]}]"),
              ElementsAre("WARNING F:1: settings of Fixed are others, which cannot change while it "
                          "runs: it counts after a restart"));
  EXPECT_THAT(reloaded("services: [{processors: [Fixed, Two]}]"),
              ElementsAre(HasSubstr("services, or their processors, are others")));
  EXPECT_THAT(reloaded("tls: {certificate_file: /a, key_file: /b}\nmodule_path: /c\n"
                       "filter: {allowed_override_modes: [{request_body_mode: NONE}]}\n"
                       "services: [{processors: [{name: Fixed, settings: {value: a}}]}]"),
              ElementsAre(HasSubstr("F:1: tls names others"),
                          HasSubstr("F:3: filter.allowed_override_modes are others"),
                          HasSubstr("F: module_path is another")));
}

TEST_F(Reload, ServicesAreThoseOfTheirAddress) {
  const std::string a =
      "  - {listen: 'unix:/a', limits: {connections: 1}, processors: [{name: One, settings: "
      "{value: "
      "a}}]}\n";
  const std::string b =
      "  - {listen: 'unix:/b', limits: {connections: 2}, processors: [{name: One, settings: "
      "{value: "
      "b}}]}\n";
  const std::string c =
      "  - {listen: 'unix:/c', limits: {connections: 3}, processors: [{name: One, settings: "
      "{value: "
      "c}}]}\n";
  serve("services:\n" + a + b);
  const auto others = HasSubstr("services, or their processors, are others");
  EXPECT_THAT(reloaded("services:\n" + c + a + b), ElementsAre(others));
  EXPECT_THAT(reloaded("services:\n" + b + a),
              ElementsAre("INFO F was read anew: nothing has changed"));
  EXPECT_THAT(reloaded("services:\n" + b), ElementsAre(others));
  EXPECT_THAT(taken_["One"], ElementsAre("a", "b"));
}

TEST_F(Reload, ErrorsOfProcessorsAreToldAtOnce) {
  EXPECT_THAT(
      refusal_of([&] {
        serve(
            "services:\n  - processors:\n    - {name: One, settings: {valeu: a}}\n"
            "    - {name: Two, settings: {value: refused}}\n"
            "    - {name: Three, settings: {value: x, more: 1}}\n");
      }),
      ::testing::AllOf(HasSubstr(":3: settings.value is missing"), HasSubstr(":4: no such value"),
                       HasSubstr(":5: settings.more is read by nobody")));
}

}  // namespace
}  // namespace extproc::settings_file
