#include "log/line_text.h"

#include <gmock/gmock.h>

// Boost.JSON without a library of its own to link.
#include <boost/json/src.hpp>
#include <random>
#include <string>

namespace extproc::log {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::string_literals;

constexpr std::chrono::system_clock::time_point kTime{std::chrono::milliseconds{1'790'000'000'012}};

std::string message(const LogLine& line) { return std::string(message_of(line).text()); }
std::string text(const LogLine& line) {
  return std::string(written(line, LogFormat::text, kTime).text());
}
std::string json(const LogLine& line) {
  return std::string(written(line, LogFormat::json, kTime).text());
}

LogLine failure(std::string_view what, std::string_view id = "id-1") {
  return {.level = LogLevel::error,
          .kind = LineKind::failure,
          .event = "failed",
          .detail = what,
          .processor = "Test",
          .phase = Phase::request_headers,
          .request_id = id};
}

TEST(LineText, PutsThePartsTogetherThatAreThere) {
  struct Case {
    LogLine line;
    const char* message;
  };
  const Case cases[] = {
      {failure("boom"), "Test: request_headers failed for request id-1: boom"},
      {failure("boom", ""), "Test: request_headers failed for request unknown: boom"},
      {{.event = "begins", .processor = "Test", .phase = Phase::response_body, .request_id = "1"},
       "Test: response_body begins for request 1"},
      {{.detail = "rule: broken",
        .processor = "Test",
        .phase = Phase::response_body,
        .request_id = "1"},
       "Test: response_body for request 1: rule: broken"},
      {{.event = "took 3 us", .detail = "why", .processor = "Test", .phase = Phase::response_body},
       "Test: response_body took 3 us: why"},
      {{.detail = "why", .phase = Phase::response_body}, "response_body: why"},
      {{.event = "a message", .detail = "ended", .processor = "Test", .request_id = ""},
       "Test: a message for request unknown: ended"},
      {{.event = "listening"}, "listening"},
      {{}, ""}};
  for (const Case& c : cases) EXPECT_EQ(message(c.line), c.message);
}

TEST(LineText, HasTheTimeInUtcAndTheLevel) {
  EXPECT_EQ(text(failure("boom")),
            "2026-09-21T14:13:20.012Z : ERROR : Test: request_headers failed "
            "for request id-1: boom\n");
}

TEST(LineText, IsAnObjectWithWhatIsKnown) {
  EXPECT_EQ(json(failure("boom")),
            R"({"time":"2026-09-21T14:13:20.012Z","level":"ERROR","processor":"Test",)"
            R"("phase":"request_headers","request_id":"id-1","message":"failed: boom"})"
            "\n");
  EXPECT_EQ(json({.level = LogLevel::info, .event = "say \"hi\" \\ \n"}),
            R"({"time":"2026-09-21T14:13:20.012Z","level":"INFO",)"
            R"("message":"say \"hi\" \\ \\x0a"})"
            "\n");
}

TEST(LineText, EscapesWhatDoesNotShowItself) {
  struct Case {
    std::string given;
    const char* shown;
  };
  const Case cases[] = {
      {"tab\t cr\r lf\n nul\0 esc\x1b del\x7f"s,
       R"(tab\x09 cr\x0d lf\x0a nul\x00 esc\x1b del\x7f)"},
      {"\u0080 \u0085 \u009b \u009f", R"(\u0080 \u0085 \u009b \u009f)"},
      {"\u00a0\u00e4\u20ac\U0001f600", "\u00a0\u00e4\u20ac\U0001f600"},
      {"\u2028 \u2029", R"(\u2028 \u2029)"},
      {"\u061c \u200e \u200f \u202a \u202e \u2066 \u2069 \ufeff",
       R"(\u061c \u200e \u200f \u202a \u202e \u2066 \u2069 \ufeff)"},
      // No UTF-8: alone, cut short, too long for what it is, a surrogate, above the last.
      {"\x9b\xff", R"(\x9b\xff)"},
      {"\xe2\x80", R"(\xe2\x80)"},
      {"\xe2\x80!", R"(\xe2\x80!)"},
      {"\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", R"(\xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf)"},
      {"\xed\xa0\x80", R"(\xed\xa0\x80)"},
      {"\xf4\x90\x80\x80 \xf8\x88\x80\x80\x80", R"(\xf4\x90\x80\x80 \xf8\x88\x80\x80\x80)"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(message({.event = c.given}), c.shown);
    EXPECT_EQ(message(failure("", c.given)),
              "Test: request_headers failed for request "s + c.shown);
    const std::string line = json(failure(c.given, c.given));
    const boost::json::object object = boost::json::parse(line).as_object();
    EXPECT_EQ(std::string(object.at("request_id").as_string()), c.shown);
    EXPECT_EQ(std::string(object.at("message").as_string()), "failed: "s + c.shown);
  }
}

TEST(LineText, HasNoMoreThanFourKilobytes) {
  for (const std::string& unit :
       {"x"s, "\n"s, "\""s, "\u20ac"s, "\u202e"s, "\xff"s, "a\u00e4\xe2"s}) {
    std::string long_words;
    while (long_words.size() < 9'000) long_words += unit;
    // From each place where a cut may come.
    for (std::size_t size = 1'300; size < 4'200; size += 13) {
      const std::string_view words = std::string_view(long_words).substr(0, size);
      EXPECT_LE(text(failure(words)).size(), kLineBytes);
      const std::string line = json(failure(words));
      EXPECT_LE(line.size(), kLineBytes);
      EXPECT_TRUE(line.ends_with("\"}\n"));
    }
    const std::string line = text(failure(long_words, long_words));
    EXPECT_LE(line.size(), kLineBytes);
    EXPECT_GE(line.size(), kLineBytes - 50);
    EXPECT_TRUE(line.ends_with(" ... (" + std::to_string(long_words.size()) + " bytes)\n"));
    // The id is cut for itself, so that what is behind it is told.
    EXPECT_THAT(line, HasSubstr(" bytes): "));
    const auto object = boost::json::parse(json(failure(long_words, long_words))).as_object();
    EXPECT_LE(object.at("request_id").as_string().size(), 256U);
    EXPECT_THAT(std::string(object.at("message").as_string()), StartsWith("failed: "));
    EXPECT_LE(message(failure(long_words, long_words)).size(), kLineBytes);
  }
  const std::string event(5'000, 'x');
  EXPECT_LE(text({.event = event, .detail = event, .processor = event, .request_id = event}).size(),
            kLineBytes);
}

TEST(LineText, CutsOnlyWhatDoesNotFit) {
  const std::string_view frame = "2026-09-21T14:13:20.012Z : INFO : \n";
  const std::string fits(kLineBytes - frame.size(), 'x');
  EXPECT_EQ(text({.event = fits}), "2026-09-21T14:13:20.012Z : INFO : " + fits + "\n");
  EXPECT_TRUE(text({.event = fits + "x"}).ends_with("x ... (4062 bytes)\n"));
}

TEST(LineText, IsJsonWhateverBytesAreInIt) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 500; ++i) {
    std::string bytes(random() % 3'000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const std::string line = json(failure(bytes, bytes.substr(0, 300)));
    ASSERT_LE(line.size(), kLineBytes);
    boost::system::error_code error;
    boost::json::parse(line, error);
    ASSERT_FALSE(error) << error.message() << ": " << line;
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    ASSERT_EQ(text(failure(bytes)).find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace extproc::log
