// The chain header: left out of a response that has no room for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "async_fixture.h"
#include "extproc/chain.h"

namespace extproc::stream {
namespace {

using enum Phase;
using ::testing::HasSubstr;
using ::testing::Not;

HeaderList many(std::size_t count, const std::string& value = "v") {
  HeaderList headers = {{":status", "200"}};
  for (std::size_t i = 1; i < count; ++i) headers.emplace_back("x-" + std::to_string(i), value);
  return headers;
}

/// The answer to these headers, by a processor that sets so many more.
std::string answer(const HeaderList& headers, int more = 0) {
  auto service = handlers();
  service->process<response_headers>([more](auto&, auto&, auto&, HeadersResponse& r) {
    for (int i = 0; i < more; ++i) r.set_header("x-more-" + std::to_string(i), "");
  });
  AsyncFixture f(service, "x-chain");
  f.headers(request_headers);
  f.headers(response_headers, false, headers);
  EXPECT_TRUE(f.violations.empty());
  return f.sent.back();
}

TEST(ChainHeader, IsLeftOutOfAResponseOfAHundredHeaders) {
  EXPECT_THAT(answer(many(99)), HasSubstr("x-chain=Test"));
  EXPECT_THAT(answer(many(100)), Not(HasSubstr("x-chain")));
  // The handler's own come first.
  EXPECT_THAT(answer(many(90), 9), HasSubstr("x-chain=Test"));
  EXPECT_THAT(answer(many(90), 10), Not(HasSubstr("x-chain")));
  EXPECT_THAT(answer(many(90), 10), HasSubstr("x-more-9="));
  EXPECT_THAT(answer(many(1), 100), Not(HasSubstr("x-chain")));
}

TEST(ChainHeader, TakesNoMoreRoomWhereItIsThereAlready) {
  HeaderList full = many(99);
  full.emplace_back("x-chain", "Other");
  EXPECT_THAT(answer(full), HasSubstr("x-chain=Test,Other"));
}

TEST(ChainHeader, IsLeftOutOfAResponseOf60KiBOfHeaders) {
  const std::size_t room = (std::size_t{60} << 10) - std::string(":status200x-1x-chainTest").size();
  EXPECT_THAT(answer(many(2, std::string(room, 'v'))), HasSubstr("x-chain=Test"));
  EXPECT_THAT(answer(many(2, std::string(room + 1, 'v'))), Not(HasSubstr("x-chain")));
}

TEST(ChainHeader, OfAChainMakesRoomForWhatALaterOneSets) {
  auto first = std::make_shared<Handlers>("First");
  first->process<response_headers>(
      [](auto&, auto&, auto&, HeadersResponse& r) { r.set_header("x-more", ""); });
  auto second = std::make_shared<Handlers>("Second");
  second->process<response_headers>([](auto&, auto&, auto&, auto&) {});
  // The response comes to the second first, which leaves its name.
  const std::vector<Service> links = {Service(first), Service(second)};
  AsyncFixture f(Service(std::make_shared<Chain>(links)), "x-chain");
  f.headers(request_headers);
  f.headers(response_headers, false, many(99));
  EXPECT_EQ(f.sent.back(), "response_headers set x-more=");
}

TEST(ChainHeader, MakesNotOneChangeTooManyOfThoseOfAChain) {
  const auto sets = [](const char* name, int count) {
    auto service = std::make_shared<Handlers>(name);
    service->process<response_headers>(
        [name = std::string(name), count](auto&, auto&, auto&, HeadersResponse& r) {
          r.set_header(":status", "201");
          for (int i = 1; i < count; ++i) r.set_header("x-" + name + std::to_string(i), "");
        });
    return Service(service);
  };
  const auto answer_of = [&](int count) {
    const std::vector<Service> links = {sets("a", 50), sets("b", count)};
    AsyncFixture f(Service(std::make_shared<Chain>(links)), "x-chain");
    f.headers(request_headers);
    f.headers(response_headers, false, many(1));
    EXPECT_TRUE(f.violations.empty());
    return f.sent.back();
  };
  EXPECT_THAT(answer_of(50), HasSubstr("x-chain=a,b"));
  const std::string full = answer_of(51);
  EXPECT_THAT(full, Not(HasSubstr("x-chain")));
  EXPECT_THAT(full, HasSubstr("x-a49="));
  EXPECT_THAT(full, HasSubstr("x-b50="));
}

TEST(ChainHeader, MakesNoImmediateResponseOfAChainOneOfTooManyHeaders) {
  auto replies = std::make_shared<Handlers>("Replies");
  replies->process<request_headers>([](auto&, auto&, auto&, HeadersResponse& r) {
    ImmediateResponse response{.status = 403};
    for (int i = 0; i < 100; ++i) response.headers.emplace_back("x-" + std::to_string(i), "");
    r.respond(response);
  });
  auto other = std::make_shared<Handlers>("Other");
  other->process<response_headers>([](auto&, auto&, auto&, auto&) {});
  const std::vector<Service> links = {Service(other), Service(replies)};
  AsyncFixture f(Service(std::make_shared<Chain>(links)), "x-chain");
  f.headers(request_headers);
  EXPECT_THAT(f.sent.back(), HasSubstr("x-99="));
  EXPECT_THAT(f.sent.back(), Not(HasSubstr("x-chain")));
}

TEST(ChainHeader, MakesNoImmediateResponseOneOfTooManyHeaders) {
  const auto headers_of = [](int count) {
    auto service = handlers();
    service->process<request_headers>([count](auto&, auto&, auto&, HeadersResponse& r) {
      ImmediateResponse response{.status = 403};
      for (int i = 0; i < count; ++i) response.headers.emplace_back("x-" + std::to_string(i), "");
      r.respond(response);
    });
    AsyncFixture f(service, "x-chain");
    f.headers(request_headers);
    EXPECT_TRUE(f.violations.empty());
    return f.sent.back();
  };
  EXPECT_THAT(headers_of(99), HasSubstr("x-chain=Test"));
  EXPECT_THAT(headers_of(100), Not(HasSubstr("x-chain")));
}

}  // namespace
}  // namespace extproc::stream
