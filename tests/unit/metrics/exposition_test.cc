// How a scrape is written.
#include "metrics/exposition.h"

#include <gmock/gmock.h>

#include <limits>
#include <string>

namespace extproc::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Families example() {
  Families families;
  families.get("app_build_info", Kind::info, "The version").add({{"version", "1"}}, 1);
  Family& requests = families.get("app_requests_total", Kind::counter, "Requests");
  requests.add({{"code", "OK"}}, 3);
  requests.add({{"code", "INTERNAL"}}, 0);
  families.get("app_memory_bytes", Kind::gauge, "Memory").add({}, 1'073'741'824);
  Distribution times{.bounds = {1e-5, 0.0001, 0.3, 1, 10},
                     .counts = {1, 2, 0, 0, 4, 8},
                     .sum = 0.5,
                     .exemplars = std::vector<std::optional<Exemplar>>(6)};
  times.exemplars[1] = Exemplar{
      .ids = {.trace = {0x01, 0xab}, .span = {0xff}}, .value = 0.00005, .time = 1'700'000'000.125};
  families.get("app_duration_seconds", Kind::histogram, "Times")
      .add({{"phase", "request_headers"}}, std::move(times));
  families.get("app_nothing_total", Kind::counter, "Has no series");
  return families;
}

TEST(Exposition, WritesPrometheussText) {
  EXPECT_EQ(write(example(), Format::text),
            "# HELP app_build_info The version\n"
            "# TYPE app_build_info gauge\n"
            "app_build_info{version=\"1\"} 1\n"
            "# HELP app_requests_total Requests\n"
            "# TYPE app_requests_total counter\n"
            "app_requests_total{code=\"OK\"} 3\n"
            "app_requests_total{code=\"INTERNAL\"} 0\n"
            "# HELP app_memory_bytes Memory\n"
            "# TYPE app_memory_bytes gauge\n"
            "app_memory_bytes 1073741824\n"
            "# HELP app_duration_seconds Times\n"
            "# TYPE app_duration_seconds histogram\n"
            "app_duration_seconds_bucket{phase=\"request_headers\",le=\"1e-05\"} 1\n"
            "app_duration_seconds_bucket{phase=\"request_headers\",le=\"0.0001\"} 3\n"
            "app_duration_seconds_bucket{phase=\"request_headers\",le=\"0.3\"} 3\n"
            "app_duration_seconds_bucket{phase=\"request_headers\",le=\"1.0\"} 3\n"
            "app_duration_seconds_bucket{phase=\"request_headers\",le=\"10.0\"} 7\n"
            "app_duration_seconds_bucket{phase=\"request_headers\",le=\"+Inf\"} 15\n"
            "app_duration_seconds_sum{phase=\"request_headers\"} 0.5\n"
            "app_duration_seconds_count{phase=\"request_headers\"} 15\n");
}

TEST(Exposition, WritesOpenMetrics) {
  const std::string text = write(example(), Format::openmetrics);
  EXPECT_THAT(text, HasSubstr("# HELP app_build The version\n"
                              "# TYPE app_build info\n"
                              "app_build_info{version=\"1\"} 1\n"
                              "# HELP app_requests Requests\n"
                              "# TYPE app_requests counter\n"
                              "app_requests_total{code=\"OK\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE app_memory_bytes gauge\n"
                              "# UNIT app_memory_bytes bytes\n"));
  EXPECT_THAT(text, HasSubstr("# UNIT app_duration_seconds seconds\n"));
  EXPECT_THAT(text, HasSubstr("le=\"0.0001\"} 3 # {trace_id=\"01ab0000000000000000000000000000\","
                              "span_id=\"ff00000000000000\"} 5e-05 1700000000.125\n"));
  EXPECT_TRUE(text.ends_with("} 15\n# EOF\n")) << text;
  EXPECT_THAT(text, Not(HasSubstr("nothing")));
}

TEST(Exposition, EscapesWhatIsNoPartOfItsLine) {
  Families families;
  families.get("app_a", Kind::gauge, "a \"b\" \\ c\nd").add({{"l", "x\"y\\z\nEND 1"}}, 1);
  EXPECT_EQ(write(families, Format::text),
            "# HELP app_a a \"b\" \\\\ c\\nd\n"
            "# TYPE app_a gauge\n"
            "app_a{l=\"x\\\"y\\\\z\\nEND 1\"} 1\n");
  EXPECT_THAT(write(families, Format::openmetrics),
              HasSubstr("# HELP app_a a \\\"b\\\" \\\\ c\\nd\n"));
}

TEST(Exposition, WritesEachNumberAsItIs) {
  const auto value = [](double number) {
    Families families;
    families.get("app_a", Kind::gauge, "A").add({}, number);
    const std::string text = write(families, Format::text);
    return text.substr(text.rfind(' ') + 1);
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(value(1e9), "1000000000\n");
  EXPECT_EQ(value(-2), "-2\n");
  EXPECT_EQ(value(0.1), "0.1\n");
  EXPECT_EQ(value(1e300), "1e+300\n");
  EXPECT_EQ(value(kInfinity), "+Inf\n");
  EXPECT_EQ(value(-kInfinity), "-Inf\n");
  EXPECT_EQ(value(std::numeric_limits<double>::quiet_NaN()), "NaN\n");
}

TEST(Exposition, IsInTheFormatThatIsLikedMost) {
  EXPECT_EQ(format_for(""), Format::text);
  EXPECT_EQ(format_for("*/*"), Format::text);
  EXPECT_EQ(format_for("text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), Format::text);
  EXPECT_EQ(format_for("application/openmetrics-text"), Format::openmetrics);
  // What Prometheus 2.42 sends.
  EXPECT_EQ(format_for("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                       "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
            Format::openmetrics);
  EXPECT_EQ(format_for("text/plain, application/openmetrics-text; q=0.3"), Format::text);
  EXPECT_EQ(format_for("application/openmetrics-text; version=2.0.0, text/plain; q=0.1"),
            Format::text);
  EXPECT_EQ(format_for("application/openmetrics-text;q=0"), Format::text);
  EXPECT_EQ(format_for("application/openmetrics-text;q=x,;;,=,"), Format::text);
}

// Two servers of one name, or a processor alone and in a chain.
TEST(Families, SeriesOfTheSameLabelsBecomeOne) {
  Families families;
  const LabelPairs same{{"processor", "A"}};
  Family& open = families.get("app_open", Kind::gauge, "Open");
  open.add(same, 2);
  families.get("app_open", Kind::gauge, "Open").add(same, 3);
  Family& ready = families.get("app_ready", Kind::gauge, "Ready");
  for (const double value : {1, 0, 1}) ready.add(same, value, Join::least);
  Family& limit = families.get("app_limit", Kind::gauge, "Limit");
  for (const double value : {4, 8, 6}) limit.add(same, value, Join::most);
  Family& times = families.get("app_seconds", Kind::histogram, "Times");
  for (int i = 0; i < 2; ++i)
    times.add(same, Distribution{.bounds = {1}, .counts = {1, 2}, .sum = 7});
  times.add(same, Distribution{.bounds = {2}, .counts = {1, 2}, .sum = 7});
  const std::string text = write(families, Format::text);
  EXPECT_THAT(text, HasSubstr("app_open{processor=\"A\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("app_ready{processor=\"A\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("app_limit{processor=\"A\"} 8\n"));
  EXPECT_THAT(text, HasSubstr("app_seconds_bucket{processor=\"A\",le=\"1.0\"} 2\n"
                              "app_seconds_bucket{processor=\"A\",le=\"+Inf\"} 6\n"
                              "app_seconds_sum{processor=\"A\"} 14\n"));
}

}  // namespace
}  // namespace extproc::metrics
