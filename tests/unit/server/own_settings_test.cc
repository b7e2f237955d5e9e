#include "extproc/own_settings.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <vector>

#include "extproc/error.h"
#include "extproc/handlers.h"
#include "extproc/service.h"

namespace extproc::server {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <class Step>
std::string why_refused(Step step) {
  try {
    step();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

OwnSettings example() {
  return OwnSettings()
      .set("name", "a")
      .set("count", 5)
      .set("ratio", "0.25")
      .set("on", true)
      .set("time", "1.5")
      .set("size", "16m")
      .set("list", std::vector<std::string>{"x", "y"})
      .set("retry", OwnSettings().set("times", 3))
      .set("rules",
           std::vector<OwnSettings>{OwnSettings().set("id", 1), OwnSettings().set("id", 2)});
}

TEST(OwnSettings, AreReadByType) {
  const OwnSettings settings = example();
  EXPECT_EQ(settings.get<std::string>("name"), "a");
  EXPECT_EQ(settings.get<int>("count"), 5);
  EXPECT_EQ(settings.get<std::uint8_t>("count"), 5);
  EXPECT_EQ(settings.get<double>("ratio"), 0.25);
  EXPECT_TRUE(settings.get<bool>("on"));
  EXPECT_EQ(settings.get<std::chrono::milliseconds>("time"), 1500ms);
  EXPECT_EQ(settings.get<std::chrono::seconds>("time"), 1s);
  EXPECT_EQ(settings.get<ByteSize>("size").bytes, 16U << 20U);
  EXPECT_THAT(settings.get<std::vector<std::string>>("list"), ElementsAre("x", "y"));
  EXPECT_EQ(settings.get<OwnSettings>("retry").get<unsigned>("times"), 3U);
  const auto rules = settings.get<std::vector<OwnSettings>>("rules");
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[1].get<int>("id"), 2);
  EXPECT_EQ(rules[0].get<int>("id"), 1);
  EXPECT_NO_THROW(settings.check_all_read());
}

TEST(OwnSettings, WhatIsNotThere) {
  const OwnSettings settings = example();
  EXPECT_EQ(settings.get_or("missing", 7), 7);
  EXPECT_EQ(settings.get_or<std::string>("missing", "x"), "x");
  EXPECT_EQ(settings.find<int>("missing"), std::nullopt);
  EXPECT_EQ(settings.find<int>("count"), 5);
  EXPECT_FALSE(settings.has("missing"));
  EXPECT_TRUE(OwnSettings().empty());
  EXPECT_EQ(why_refused([&] { settings.get<int>("missing"); }),
            "missing is missing: it must be given in the processor's settings");
  EXPECT_EQ(why_refused([&] { settings.get<OwnSettings>("retry").get<int>("pause"); }),
            "retry.pause is missing: it must be given in the processor's settings");
}

TEST(OwnSettings, AnotherTypeIsRefusedWithWhatIsTaken) {
  const OwnSettings settings = example().set("large", 300).set("negative", -1);
  const auto refused = [&](auto read) { return why_refused([&] { read(settings); }); };
  EXPECT_EQ(refused([](auto& s) { s.template get<int>("name"); }),
            "name is \"a\": it must be a whole number from -2147483648 to 2147483647");
  EXPECT_EQ(refused([](auto& s) { s.template get<std::uint8_t>("large"); }),
            "large is \"300\": it must be a whole number from 0 to 255");
  EXPECT_THAT(refused([](auto& s) { s.template get<unsigned>("negative"); }),
              HasSubstr("negative is \"-1\""));
  EXPECT_THAT(refused([](auto& s) { s.template get<bool>("count"); }),
              HasSubstr("count is \"5\": it must be true or false"));
  EXPECT_THAT(refused([](auto& s) { s.template get<double>("name"); }), HasSubstr("a number"));
  EXPECT_THAT(refused([](auto& s) { s.template get<std::string>("list"); }),
              HasSubstr("list is a list: it must be a text"));
  EXPECT_THAT(refused([](auto& s) { s.template get<std::vector<int>>("list"); }),
              HasSubstr("list[0] is \"x\": it must be a whole number"));
  EXPECT_THAT(refused([](auto& s) { s.template get<std::vector<int>>("retry"); }),
              HasSubstr("retry is a mapping: it must be a list"));
  EXPECT_THAT(refused([](auto& s) { s.template get<OwnSettings>("count"); }),
              HasSubstr("it must be a mapping"));
  EXPECT_THAT(refused([](auto& s) { s.template get<ByteSize>("name"); }), HasSubstr("16m"));
  EXPECT_THAT(refused([](auto& s) { s.template get<std::chrono::seconds>("name"); }),
              HasSubstr("a number of seconds"));
}

TEST(OwnSettings, KeysThatNobodyReads) {
  const OwnSettings settings = example().set("retry", OwnSettings().set("tmies", 3));
  for (const char* name : {"name", "count", "ratio", "on", "time", "size", "list"})
    static_cast<void>(settings.has(name));
  settings.get<OwnSettings>("retry").get_or("times", 1);
  for (const auto& rule : settings.get<std::vector<OwnSettings>>("rules"))
    static_cast<void>(rule.has("other"));
  EXPECT_EQ(why_refused([&] { settings.check_all_read(); }),
            "retry.tmies is read by nobody: did you mean \"times\"?\n"
            "rules[0].id is read by nobody: there are other\n"
            "rules[1].id is read by nobody: there are other");
  EXPECT_THAT(why_refused([&] { OwnSettings().set("a", 1).check_all_read(); }),
              HasSubstr("a is read by nobody: leave it out"));
}

TEST(OwnSettings, KeysThatAreData) {
  const OwnSettings settings = OwnSettings().set("a", 1).set("b", 2).set("a", 3);
  EXPECT_THAT(settings.names(), ElementsAre("a", "b"));
  int sum = 0;
  for (const std::string& name : settings.names()) sum += settings.get<int>(name);
  EXPECT_EQ(sum, 5);
  EXPECT_NO_THROW(settings.check_all_read());
}

TEST(OwnSettings, ChangesAreOfTheOneThatIsSet) {
  OwnSettings one;
  one.set("a", 1);
  const OwnSettings copy = one;
  one.set("a", 2);
  EXPECT_EQ(copy.get<int>("a"), 1);
  EXPECT_EQ(one.get<int>("a"), 2);
  EXPECT_EQ(one.where(), "");
}

class Reloading final : public Processor {
 public:
  explicit Reloading(const OwnSettings& settings) { reload(settings); }
  void process_request_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {}
  void reload(const OwnSettings& settings) override { value = settings.get<int>("value"); }
  int value = 0;
};

class Older final : public Processor {
 public:
  void process_request_headers(const HttpHeaders&, Context&, Request&, HeadersResponse&) override {}
  /// No affair of the library's.
  void reload(int value) { value_ = value; }
  using Processor::reload;
  int value_ = 0;
};

TEST(Reload, OfAService) {
  const auto processor = std::make_shared<Reloading>(OwnSettings().set("value", 1));
  const Service service(processor);
  EXPECT_TRUE(service.reload(OwnSettings().set("value", 2)));
  EXPECT_EQ(processor->value, 2);
  EXPECT_THROW(service.reload(OwnSettings().set("value", 3).set("other", 1)), Error);
  EXPECT_THROW(service.reload({}), Error);
  EXPECT_FALSE(Service::make<Older>().reload({}));
  EXPECT_FALSE(Service::make<BaseExtProcService>().reload({}));
}

TEST(Reload, OfHandlers) {
  Handlers handlers("Some");
  handlers.process<Phase::request_headers>([](auto&, auto&, auto&, auto&) {});
  int value = 0;
  const Service service = Service(handlers).on_reload(
      [&](const OwnSettings& settings) { value = settings.get<int>("value"); });
  EXPECT_TRUE(service.reload(OwnSettings().set("value", 2)));
  EXPECT_EQ(value, 2);
}

}  // namespace
}  // namespace extproc::server
