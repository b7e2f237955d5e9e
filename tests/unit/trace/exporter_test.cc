// The thread that sends spans, against collectors of every kind.
#include "trace/exporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "extproc/error.h"
#include "log/make_logger.h"
#include "trace/collector.h"
#include "trace/ids.h"
#include "trace/span_encoder.h"

namespace extproc::trace {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class Lines {
 public:
  Logger logger() {
    return log::make_logger(LogLevel::info, {.sink = [this](LogLevel, std::string_view line) {
                              const std::lock_guard lock(mutex_);
                              lines_.emplace_back(line);
                            }});
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

class ExporterTest : public ::testing::Test {
 protected:
  TraceSettings settings() const {
    TraceSettings settings;
    settings.endpoint = collector_.url();
    settings.delay = 1ms;
    settings.batch_spans = 4;
    settings.last_send = 10s;
    return settings;
  }
  void start(const TraceSettings& settings) {
    exporter_ = std::make_unique<Exporter>(settings, lines_.logger());
    outbox_ = std::make_unique<SpanOutbox>(exporter_->queue());
  }
  void end() {
    outbox_.reset();
    exporter_.reset();
  }
  void add(int count) {
    for (int i = 0; i < count; ++i) {
      const TraceContext context{.trace_id = ids_.trace_id(), .span_id = ids_.span_id()};
      const SpanParts parts{.context = context};
      outbox_->add(span_size(parts), [&](char* at) { return write_span(at, parts); });
    }
  }
  Figures ended_figures() {
    outbox_.reset();
    // What it has come to is known when all was sent.
    while (exporter_->figures().sent + exporter_->figures().dropped < added_)
      std::this_thread::yield();
    return exporter_->figures();
  }

  Collector collector_;
  Lines lines_;
  IdGenerator ids_{1};
  std::uint64_t added_ = 0;
  std::unique_ptr<Exporter> exporter_;
  std::unique_ptr<SpanOutbox> outbox_;
};

TEST_F(ExporterTest, PostsSpansOverOneConnection) {
  TraceSettings its = settings();
  its.headers = {{"x-api-key", "secret"}, {"content-type", "wrong"}};
  its.service_name = "s";
  start(its);
  for (std::size_t i = 1; i <= 5; ++i) {
    add(4);
    collector_.wait_for_spans(4 * i);
  }
  const auto request = collector_.wait_for(5).front();
  EXPECT_THAT(request.head, ::testing::StartsWith("POST /v1/traces HTTP/1.1\r\n"));
  EXPECT_THAT(request.head, HasSubstr("x-api-key: secret\r\n"));
  EXPECT_THAT(request.head, HasSubstr("Content-Type: application/x-protobuf\r\n"));
  EXPECT_THAT(request.head, ::testing::Not(HasSubstr("wrong")));
  EXPECT_EQ(decode_request(request.body).resource.at("service.name"), "s");
  EXPECT_EQ(collector_.connections(), 1U);
  added_ = 20;
  EXPECT_EQ(ended_figures().sent, 20U);
  EXPECT_EQ(exporter_->figures().dropped, 0U);
  end();
  EXPECT_THAT(lines_.all(), ::testing::IsEmpty());
}

TEST_F(ExporterTest, SendsWhatIsNoBatchWhenItHasWaited) {
  start(settings());
  add(1);
  EXPECT_EQ(collector_.wait_for_spans(1).size(), 1U);
}

TEST_F(ExporterTest, SendsWhatIsLeftAtTheEnd) {
  TraceSettings its = settings();
  its.delay = 1h;
  its.batch_spans = 512;
  start(its);
  add(300);
  end();
  EXPECT_EQ(collector_.wait_for_spans(300).size(), 300U);
  EXPECT_EQ(collector_.wait_for(1).size(), 1U);
}

TEST_F(ExporterTest, SendsABatchAtOnce) {
  TraceSettings its = settings();
  its.delay = 1h;
  start(its);
  add(4);
  EXPECT_EQ(collector_.wait_for_spans(4).size(), 4U);
  add(5);
  // The ninth as well, where the thread comes to it late.
  EXPECT_GE(collector_.wait_for_spans(8).size(), 8U);
}

class RepeatedTest : public ExporterTest, public ::testing::WithParamInterface<Reply> {};

TEST_P(RepeatedTest, SendsTheSameAgain) {
  collector_.reply_with({GetParam()});
  TraceSettings its = settings();
  its.timeout = 500ms;
  start(its);
  add(4);
  const auto spans = collector_.wait_for_spans(4);
  EXPECT_EQ(spans.size(), 4U);
  const auto requests = collector_.wait_for(2);
  EXPECT_EQ(requests[0].body, requests[1].body);
  added_ = 4;
  EXPECT_EQ(ended_figures().sent, 4U);
  EXPECT_EQ(exporter_->figures().dropped, 0U);
  end();
  EXPECT_THAT(lines_.all(), Contains(HasSubstr("does not take spans")));
  EXPECT_THAT(lines_.all(), Contains(HasSubstr("spans are taken again")));
}

INSTANTIATE_TEST_SUITE_P(
    Collectors, RepeatedTest,
    ::testing::Values(Reply{response("429 Too Many Requests", "Retry-After: 0\r\n")},
                      Reply{response("503 Service Unavailable")},
                      Reply{response("502 Bad Gateway", "Connection: close\r\n"), true},
                      Reply{response("504 Gateway Timeout", "Retry-After: never\r\n")},
                      Reply{"no HTTP at all\r\n\r\n"},
                      // Nothing: the time is over.
                      Reply{""},
                      // Half a response.
                      Reply{"HTTP/1.1 200", true}, Reply{"", true}));

class DroppedTest : public ExporterTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(DroppedTest, DropsWhatIsRefused) {
  collector_.reply_with({{response(GetParam())}});
  start(settings());
  add(4);
  collector_.wait_for(1);
  add(4);
  EXPECT_EQ(collector_.wait_for_spans(4).size(), 4U);
  added_ = 8;
  EXPECT_EQ(ended_figures().dropped, 4U);
  EXPECT_EQ(exporter_->figures().sent, 4U);
}

INSTANTIATE_TEST_SUITE_P(Statuses, DroppedTest,
                         ::testing::Values("400 Bad Request", "401 Unauthorized", "404 Not Found",
                                           "301 Moved Permanently", "500 Internal Server Error"));

TEST_F(ExporterTest, CountsWhatWasTakenInPart) {
  collector_.reply_with({{response("200 OK", {},
                                   std::string("\x0a\x08\x08\x03\x12\x04"
                                               "full",
                                               10))}});
  start(settings());
  add(4);
  added_ = 4;
  const Figures figures = ended_figures();
  EXPECT_EQ(figures.sent, 1U);
  EXPECT_EQ(figures.dropped, 3U);
  end();
  EXPECT_THAT(lines_.all(), Contains(HasSubstr("3 of 4")));
  EXPECT_THAT(lines_.all(), Contains(HasSubstr("full")));
}

TEST_F(ExporterTest, AResponseThatIsTooLargeIsAFailure) {
  collector_.reply_with({{response("200 OK", {}, std::string(100'000, 'x'))}});
  start(settings());
  add(4);
  EXPECT_EQ(collector_.wait_for(2).size(), 2U);
}

TEST_F(ExporterTest, WaitsForNoCollectorAtTheEnd) {
  collector_.reply_with(std::vector<Reply>(20, Reply{""}));
  TraceSettings its = settings();
  its.last_send = 50ms;
  its.timeout = 1h;
  start(its);
  add(4);
  collector_.wait_for(1);
  add(4);
  end();
  EXPECT_THAT(lines_.all(), Contains(HasSubstr("8 spans were dropped")));
}

TEST_F(ExporterTest, WaitsForNoConnectionAtTheEnd) {
  TraceSettings its = settings();
  // Nobody listens there.
  its.endpoint = "http://127.0.0.1:1/v1/traces";
  its.last_send = 50ms;
  start(its);
  add(4);
  end();
  EXPECT_THAT(lines_.all(), Contains(HasSubstr("127.0.0.1:1 does not take spans: Connection ref")));
}

TEST_F(ExporterTest, DropsWhatComesWhileNobodyTakesIt) {
  collector_.reply_with(std::vector<Reply>(20, Reply{response("503 Service Unavailable")}));
  TraceSettings its = settings();
  its.queue_bytes = 2 * sizeof(SpanBuffer);
  start(its);
  add(4);
  collector_.wait_for(1);
  add(40);
  EXPECT_EQ(exporter_->figures().dropped, 36U);
}

TEST_F(ExporterTest, OneForTheSameSettings) {
  const TraceSettings its = settings();
  TraceSettings others = its;
  others.service_name = "other";
  const auto one = Exporter::of(its, lines_.logger());
  EXPECT_EQ(Exporter::of(its, lines_.logger()), one);
  EXPECT_NE(Exporter::of(others, lines_.logger()), one);
  others.endpoint = "no URL";
  EXPECT_THROW(Exporter::of(others, lines_.logger()), Error);
}

}  // namespace
}  // namespace extproc::trace
