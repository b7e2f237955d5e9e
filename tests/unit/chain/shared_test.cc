// What the processors of a chain know of a request together: shared state, and the metadata that
// they set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/access.h"
#include "extproc/chain.h"
#include "extproc/handlers.h"
#include "extproc/struct.h"
#include "stream/async_fixture.h"
#include "testing/request_writer.h"

namespace extproc::chain {
namespace {

using stream::AsyncFixture;
using stream::Gate;
using ::testing::ElementsAre;
using enum Phase;
using namespace std::chrono_literals;

/// What is kept of a request; tells its end.
struct Kept {
  static inline std::vector<std::string>* ends = nullptr;
  ~Kept() {
    if (ends != nullptr) ends->push_back("destroyed");
  }
  std::string text;
};

std::shared_ptr<Handlers> adds(const std::string& name, std::vector<std::string>& read) {
  auto handlers = std::make_shared<Handlers>(name);
  handlers->process<request_headers>([name](auto&, auto&, auto& request, auto&) {
    request.template shared<Kept>().text += name;
    request.template state<Kept>().text += name;
  });
  handlers->on_complete([&read](const Completed&, Context&, Request& request) {
    read.push_back(request.shared<Kept>().text + " " + request.state<Kept>().text);
  });
  return handlers;
}

TEST(SharedState, IsOneForAllLinksAndStateIsEachOnesOwn) {
  std::vector<std::string> notes;
  Kept::ends = &notes;
  Chain chain({adds("a", notes), adds("b", notes)});
  {
    AsyncFixture f{Service(chain)};
    f.headers(request_headers);
    f.restart();
    // The next stream has another, and that of the one before is gone.
    EXPECT_THAT(std::exchange(notes, {}),
                ElementsAre("ab a", "destroyed", "ab b", "destroyed", "destroyed"));
    f.headers(request_headers);
  }
  EXPECT_THAT(notes, ElementsAre("ab a", "destroyed", "ab b", "destroyed", "destroyed"));
  Kept::ends = nullptr;
}

TEST(SharedState, OfOneProcessorIsItsOwnAndNotItsState) {
  std::vector<std::string> read;
  {
    AsyncFixture f(adds("a", read));
    f.headers(request_headers);
  }
  EXPECT_THAT(read, ElementsAre("a a"));
  Request request;
  request.shared<int>() = 1;
  EXPECT_EQ(request.state<int>(), 0);
  EXPECT_EQ(request.shared<int>(), 1);
}

// As blocking handlers of two links do it.
TEST(SharedState, IsMadeOnceWhoeverAsks) {
  for (int round = 0; round < 500; ++round) {
    Request chain, first, second;
    detail::Access::share(first, chain);
    detail::Access::share(second, chain);
    const auto ask = [](Request& request) {
      return std::pair<void*, void*>(&request.shared<int>(), &request.shared<std::string>());
    };
    std::pair<void*, void*> one, other;
    std::thread beside([&] { other = ask(second); });
    one = ask(first);
    beside.join();
    ASSERT_EQ(one, other);
    ASSERT_EQ(ask(chain), one);
  }
}

/// A message with `metadata_context`, as far as `fields` is set.
std::string with_metadata(Phase phase, const std::string& name, const Struct& fields) {
  std::string message = testing::write_headers(phase, {}, false, {});
  protozero::pbf_writer writer(message);
  protozero::pbf_writer metadata(writer, 8);
  protozero::pbf_writer entry(metadata, 1);
  entry.add_string(1, name);
  entry.add_message(2, std::string(fields.bytes()));
  return message;
}

std::string text(const Context& context) {
  const auto metadata = context.filter_metadata("com.example");
  if (!metadata) return "none";
  std::string all;
  for (const char* name : {"sent", "a", "b"}) {
    const auto value = metadata->find(name);
    if (value) all += std::string(name) + "=" + std::string(value->string().value_or("?")) + " ";
  }
  return all;
}

/// Notes what it reads in each phase of headers, and sets a field of its name in the request's.
std::shared_ptr<Handlers> marks(const std::string& name, std::vector<std::string>& read) {
  auto handlers = std::make_shared<Handlers>(name);
  handlers->process<request_headers>([&read, name](auto&, auto& context, auto&, auto& answer) {
    read.push_back(name + ": " + text(context));
    answer.set_dynamic_metadata("com.example", Struct().set(name, "1"));
  });
  handlers->process<response_headers>([&read, name](auto&, auto& context, auto&, auto&) {
    read.push_back(name + ": " + text(context));
  });
  return handlers;
}

TEST(ChainMetadata, IsSeenByThoseBehindAndLaterByAll) {
  std::vector<std::string> read;
  Chain chain({marks("a", read), marks("b", read)});
  AsyncFixture f{Service(chain)};
  f.headers(request_headers);
  EXPECT_THAT(std::exchange(read, {}), ElementsAre("a: none", "b: a=1 "));
  f.headers(response_headers);
  EXPECT_THAT(std::exchange(read, {}), ElementsAre("b: a=1 b=1 ", "a: a=1 b=1 "));
  f.restart();
  f.headers(request_headers);
  EXPECT_THAT(read, ElementsAre("a: none", "b: a=1 "));
}

TEST(ChainMetadata, IsMergedWithWhatTheFilterForwards) {
  std::vector<std::string> read;
  Chain chain({marks("a", read), marks("b", read)});
  AsyncFixture f{Service(chain)};
  f.config = std::nullopt;
  f.send(with_metadata(request_headers, "com.example", Struct().set("sent", "1").set("a", "0")));
  EXPECT_THAT(std::exchange(read, {}), ElementsAre("a: sent=1 a=0 ", "b: sent=1 a=1 "));
  // Of another one that set it meanwhile.
  f.send(with_metadata(response_headers, "com.example", Struct().set("sent", "2").set("b", "0")));
  EXPECT_THAT(read, ElementsAre("b: sent=2 a=1 b=1 ", "a: sent=2 a=1 b=1 "));
}

TEST(ChainMetadata, OfOthersNamespacesStays) {
  std::vector<std::string> read;
  Chain chain({marks("a", read), marks("b", read)});
  AsyncFixture f{Service(chain)};
  f.config = std::nullopt;
  f.send(with_metadata(request_headers, "com.other", Struct().set("sent", "1")));
  EXPECT_THAT(read, ElementsAre("a: none", "b: a=1 "));
}

// What one has in hand must not move when another one sets something.
TEST(ChainMetadata, ThatAHandlerHoldsStaysWhereItIs) {
  Gate gate;
  std::string held;
  auto holds = std::make_shared<Handlers>("holds");
  holds->process<response_headers>([&](auto&, auto& context, auto&, auto&) -> Task<> {
    const auto view = context.filter_metadata("com.example");
    co_await gate.passed();
    held = std::string(view->find("a")->string().value());
  });
  auto writes = std::make_shared<Handlers>("writes");
  writes->process<request_headers>([](auto&, auto&, auto&, auto& answer) {
    answer.set_dynamic_metadata("com.example", Struct().set("a", std::string(100, 'x')));
  });
  Gate second;
  writes->process<request_body>([&](BodyStream& body, Context&, Request&) -> Task<> {
    auto chunk = co_await body.read();
    co_await second.passed();
    body.response().set_dynamic_metadata("com.example", Struct().set("a", std::string(100, 'y')));
    body.write(chunk->bytes());
  });
  Chain chain({holds, writes});
  AsyncFixture f{Service(chain)};
  f.config = ProtocolConfiguration{BodySendMode::full_duplex_streamed, BodySendMode::none, false};
  f.headers(request_headers);
  f.body(request_body, "1", true);
  f.headers(response_headers);
  second.open();
  f.run();
  gate.open();
  f.run();
  EXPECT_EQ(held, std::string(100, 'x'));
}

// Each message of a body that sets it again takes the place of what was set before.
TEST(ChainMetadata, ThatIsSetAgainAndAgainTakesNoMoreMemory) {
  auto writes = std::make_shared<Handlers>("writes");
  int count = 0;
  writes->process<request_body>([&](auto&, auto&, auto&, auto& answer) {
    answer.set_dynamic_metadata("com.example", Struct().set("count", std::to_string(++count)));
  });
  auto other = stream::handlers_of({request_body});
  Chain chain({writes, other});
  AsyncFixture f{Service(chain)};
  f.config = ProtocolConfiguration{BodySendMode::streamed, BodySendMode::none, false};
  f.headers(request_headers);
  for (int i = 0; i < 100; ++i) f.body(request_body, "x");
  EXPECT_EQ(count, 100);
  EXPECT_GT(f.most_kept, 0);
  EXPECT_LT(f.most_kept, 1'000);
}

}  // namespace
}  // namespace extproc::chain
