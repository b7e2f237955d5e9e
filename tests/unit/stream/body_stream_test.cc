// Handlers over a whole body: every mode, with every shape of a body and every habit of a handler.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async_fixture.h"
#include "every_mode.h"

namespace extproc::stream {
namespace {

using Mode = std::optional<BodySendMode>;
using BodyHandler = std::function<Task<>(BodyStream&, Context&)>;

bool streams(Mode mode) { return mode && is_full_duplex(*mode); }
bool is_one_message(Mode mode) {
  return mode == BodySendMode::buffered || mode == BodySendMode::buffered_partial;
}

struct Chunk {
  std::string bytes;
  bool end_of_stream = false;
  bool drain_complete = false;
};

struct Shape {
  const char* name;
  std::vector<Chunk> chunks;
  bool trailers = false;
  bool half_close = false;

  bool end_of_stream() const { return chunks.back().end_of_stream; }
  bool drains() const { return chunks.back().drain_complete; }
};

const Shape kShapes[] = {
    {"one chunk", {{"one", true}}},
    {"nothing", {{"", true}}},
    {"one chunk before trailers", {{"one"}}, true},
    {"one chunk before a half-close", {{"one"}}, false, true},
    {"three chunks", {{"one"}, {"two"}, {"three", true}}},
    {"an empty last chunk", {{"one"}, {"two"}, {"", true}}},
    {"an empty chunk in the middle", {{"one"}, {""}, {"three", true}}},
    {"three chunks before trailers", {{"one"}, {"two"}, {"three"}}, true},
    {"a half-close in the middle", {{"one"}, {"two"}}, false, true},
    {"drained", {{"one"}, {"two", false, true}}},
    {"drained by an empty chunk", {{"one"}, {"", false, true}}},
};

struct Expected {
  std::string content;
  int too_late = 0;
};

/// What a handler makes of a body. `late`: what is written behind the last chunk cannot be sent.
struct Habit {
  const char* name;
  BodyHandler handler;
  std::function<Expected(const std::vector<Chunk>&, bool late)> expected;
};

std::string all(const std::vector<Chunk>& chunks, std::size_t from = 0) {
  std::string content;
  for (std::size_t i = from; i < chunks.size(); ++i) content += chunks[i].bytes;
  return content;
}

Task<> echo(BodyStream& body, Context&) {
  while (auto chunk = co_await body.read()) body.write(chunk->body());
}
Task<> echo_slowly(BodyStream& body, Context& context) {
  co_await let_loop_run(context);
  while (auto chunk = co_await body.read()) {
    const std::string before(chunk->body());
    co_await let_loop_run(context);
    EXPECT_EQ(chunk->body(), before);
    body.write(chunk->body());
    co_await let_loop_run(context);
  }
  co_await let_loop_run(context);
}
Task<> collect(BodyStream& body, Context&) {
  std::string content;
  while (auto chunk = co_await body.read()) content += chunk->body();
  body.write(content);
}
Task<> drop(BodyStream& body, Context&) {
  while (const auto chunk = co_await body.read()) {
  }
}
Task<> leave(BodyStream&, Context&) { co_return; }
Task<> leave_slowly(BodyStream&, Context& context) { co_await let_loop_run(context); }
Task<> read_one(BodyStream& body, Context&) { co_await body.read(); }
Task<> replace_by_finishing(BodyStream& body, Context&) {
  co_await body.read();
  body.write("X");
  body.finish();
  body.write("ignored");
}
Task<> finish_at_once(BodyStream& body, Context&) {
  body.finish();
  co_return;
}
Task<> write_first(BodyStream& body, Context&) {
  body.write("X");
  while (auto chunk = co_await body.read()) body.write(chunk->body());
}
Task<> write_only(BodyStream& body, Context&) {
  body.write("X");
  co_return;
}
Task<> write_last(BodyStream& body, Context&) {
  while (auto chunk = co_await body.read()) body.write(chunk->body());
  body.write("X");
}

const Habit kHabits[] = {
    {"echo", echo, [](auto& chunks, bool) { return Expected{all(chunks)}; }},
    {"echo_slowly", echo_slowly, [](auto& chunks, bool) { return Expected{all(chunks)}; }},
    {"collect", collect,
     [](auto& chunks, bool late) {
       return late ? Expected{"", 1} : Expected{all(chunks)};
     }},
    {"drop", drop, [](auto&, bool) { return Expected{""}; }},
    {"leave", leave, [](auto& chunks, bool) { return Expected{all(chunks)}; }},
    {"leave_slowly", leave_slowly, [](auto& chunks, bool) { return Expected{all(chunks)}; }},
    {"read_one", read_one, [](auto& chunks, bool) { return Expected{all(chunks, 1)}; }},
    {"replace_by_finishing", replace_by_finishing, [](auto&, bool) { return Expected{"X"}; }},
    {"finish_at_once", finish_at_once, [](auto&, bool) { return Expected{""}; }},
    {"write_first", write_first, [](auto& chunks, bool) { return Expected{"X" + all(chunks)}; }},
    {"write_only", write_only, [](auto& chunks, bool) { return Expected{"X" + all(chunks)}; }},
    {"write_last", write_last,
     [](auto& chunks, bool late) {
       return late ? Expected{all(chunks), 1} : Expected{all(chunks) + "X"};
     }},
};

template <Phase phase>
void add(Handlers& service, const BodyHandler& handler) {
  service.process<phase>([&handler](BodyStream& body, Context& context, Request&) -> Task<> {
    EXPECT_EQ(body.phase(), phase);
    return handler(body, context);
  });
}

/// What Envoy would have of a body: the answers, each where its chunk was.
struct Received {
  std::string content;
  std::size_t answers = 0;
  std::size_t ends = 0;    // answers that say so
  bool ended_last = true;  // and nothing of the body follows them
};

Received receive(const std::vector<std::string>& sent, const std::string& name,
                 const std::vector<Chunk>& chunks, Mode mode) {
  Received received;
  for (const std::string& answer : sent) {
    if (!answer.starts_with(name)) continue;
    if (received.ends > 0) received.ended_last = false;
    const std::string key = streams(mode) ? " streamed=\"" : " body=\"";
    const auto at = answer.find(key);
    if (at != std::string::npos) {
      const auto begin = at + key.size();
      received.content += answer.substr(begin, answer.find('"', begin) - begin);
    } else if (!answer.ends_with(" clear")) {
      EXPECT_EQ(answer, name) << "not a legal answer in this mode";
      if (received.answers < chunks.size()) received.content += chunks[received.answers].bytes;
    }
    if (answer.find(",end") != std::string::npos || answer.find(",drained") != std::string::npos)
      ++received.ends;
    ++received.answers;
  }
  return received;
}

class Bodies : public ::testing::TestWithParam<std::tuple<int, int>> {
 protected:
  Mode mode() const {
    const int index = std::get<0>(GetParam());
    return index < 6 ? Mode(kModes[index]) : Mode();
  }
  const Habit& habit() const { return kHabits[std::get<1>(GetParam())]; }

  std::unique_ptr<AsyncFixture> make(Phase phase) {
    auto service = handlers();
    phase == Phase::request_body ? add<Phase::request_body>(*service, habit().handler)
                                 : add<Phase::response_body>(*service, habit().handler);
    auto f = std::make_unique<AsyncFixture>(service);
    f->settings.early_end = false;
    f->config =
        mode() ? std::optional(ProtocolConfiguration{*mode(), *mode(), false}) : std::nullopt;
    return f;
  }

  static void play(AsyncFixture& f, Phase phase, const Shape& shape) {
    const bool request = phase == Phase::request_body;
    f.headers(request ? Phase::request_headers : Phase::response_headers);
    for (const Chunk& chunk : shape.chunks)
      f.body(phase, chunk.bytes, chunk.end_of_stream, {.drain_complete = chunk.drain_complete});
    if (shape.trailers) f.trailers(request ? Phase::request_trailers : Phase::response_trailers);
    if (shape.half_close) f.half_close();
  }

  void check(Phase phase, const Shape& shape) {
    SCOPED_TRACE(std::string(to_string(phase)) + ", " + shape.name);
    auto f = make(phase);
    play(*f, phase, shape);
    const std::string name(to_string(phase));
    const Received received = receive(f->sent, name, shape.chunks, mode());
    const bool late = !streams(mode()) && !is_one_message(mode()) && !shape.end_of_stream();
    const Expected expected = habit().expected(shape.chunks, late);
    EXPECT_EQ(received.content, expected.content);
    EXPECT_EQ(f->violations.size(), static_cast<std::size_t>(expected.too_late));
    if (streams(mode())) {
      EXPECT_EQ(received.ends, shape.end_of_stream() || shape.drains() ? 1U : 0U);
      EXPECT_TRUE(received.ended_last);
    } else {
      EXPECT_EQ(received.answers, shape.chunks.size());
    }
    if (shape.trailers) {
      EXPECT_EQ(f->sent.back(),
                phase == Phase::request_body ? "request_trailers" : "response_trailers");
    }
    EXPECT_EQ(f->ended, shape.half_close);
    EXPECT_EQ(f->sent_after_end, 0);
    EXPECT_EQ(f->waiting(), 0U);
    EXPECT_TRUE(f->log.size() == f->violations.size());
    EXPECT_TRUE(f->close());
  }
};

TEST_P(Bodies, AreAnsweredLegallyAndKept) {
  for (const Shape& shape : kShapes) {
    // One message is all that comes in these modes.
    if (is_one_message(mode()) && shape.chunks.size() > 1) continue;
    check(Phase::request_body, shape);
    check(Phase::response_body, shape);
  }
}

TEST_P(Bodies, AreReadAlikeByAnObserver) {
  for (const Shape& shape : kShapes) {
    auto f = make(Phase::request_body);
    f->observes = true;
    play(*f, Phase::request_body, shape);
    EXPECT_TRUE(f->sent.empty()) << f->sent.front();
    EXPECT_TRUE(f->close());
  }
}

// A reset may come behind each message, and find the handler anywhere.
TEST_P(Bodies, AreGivenUpAtAnyTime) {
  for (const Shape& shape : kShapes) {
    for (std::size_t messages = 0; messages <= shape.chunks.size(); ++messages) {
      auto f = make(Phase::response_body);
      Shape cut = shape;
      cut.chunks.resize(std::max<std::size_t>(messages, 1));
      f->stop_before_handlers = true;
      play(*f, Phase::response_body, cut);
      EXPECT_TRUE(f->close()) << shape.name;
      EXPECT_EQ(f->sent_after_end, 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Bodies,
                         ::testing::Combine(::testing::Range(0, 7),
                                            ::testing::Range(0, int{std::size(kHabits)})),
                         [](const auto& tested) {
                           const int mode = std::get<0>(tested.param);
                           return std::string(mode < 6 ? to_string(kModes[mode]) : "UNKNOWN") +
                                  "_" + kHabits[std::get<1>(tested.param)].name;
                         });

}  // namespace
}  // namespace extproc::stream
