// A content-length that a processor sets by hand leaves where it fits, and nowhere else.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "envoy/modes.h"
#include "extproc/async.h"
#include "extproc/chain.h"
#include "extproc/extproc.h"
#include "extproc/testing/envoy.h"
#include "one_handler.h"

namespace extproc {
namespace {

using testing::EnvoyResult;
using testing::HeaderList;

constexpr bool kAnswered[] = {false, true};

std::string modes(BodySendMode mode, bool allowed) {
  const std::string name(to_string(mode));
  const char* trailers = mode == BodySendMode::full_duplex_streamed
                             ? ", request_trailer_mode: SEND, response_trailer_mode: SEND"
                             : "";
  return "{allow_content_length_header: " + std::string(allowed ? "true" : "false") +
         ", processing_mode: {request_body_mode: " + name + ", response_body_mode: " + name +
         trailers + "}}";
}

/// With content-length, or in chunks.
EnvoyResult play(const Service& service, const std::string& filter, bool told) {
  HeaderList request = {{":method", "POST"}};
  HeaderList response = {{":status", "200"}};
  if (told) {
    request.emplace_back("content-length", "4");
    response.emplace_back("content-length", "4");
  }
  return testing::Envoy(filter).run(service,
                                    {.request = {.headers = request, .body = {"bo", "dy"}},
                                     .upstream = {.headers = response, .body = {"bo", "dy"}}});
}

void expect_fitting(const EnvoyResult& result, const std::string& body) {
  // In some modes Envoy heeds none.
  for (const auto& refusal : result.refusals) EXPECT_EQ(refusal.rule, "content_length");
  EXPECT_EQ(result.upstream.body, body);
  EXPECT_EQ(result.caller.body, body);
  for (const auto* length :
       {result.upstream_header("content-length"), result.caller_header("content-length")}) {
    if (length != nullptr) {
      EXPECT_EQ(*length, std::to_string(body.size()));
    }
  }
}

bool tells_of_length(const EnvoyResult& result) {
  for (const auto& violation : result.violations)
    if (violation.rule == Rule::content_length) return true;
  return false;
}

template <class Test>
void for_each_setting(Test test) {
  for (const BodySendMode mode : envoy_config::kBodyModes) {
    for (const bool allowed : kAnswered) {
      for (const bool told : kAnswered) {
        SCOPED_TRACE(std::string(to_string(mode)) + (allowed ? " allowed" : "") +
                     (told ? " told" : ""));
        test(mode, allowed, told);
      }
    }
  }
}

TEST(SetLength, WithTheBody) {
  for_each_setting([](BodySendMode mode, bool allowed, bool told) {
    for (const char* length : {"3", "4", "6"}) {
      for (const bool replaces : kAnswered) {
        SCOPED_TRACE(std::string(length) + (replaces ? " replaces" : ""));
        const auto set = [&](const HttpBody& body, auto&, auto&, BodyResponse& r) {
          if (replaces) r.replace_body(body.end_of_stream() ? "longer" : "");
          r.set_header("content-length", length);
        };
        auto handlers = std::make_shared<Handlers>("P");
        handlers->process<Phase::request_body>(set);
        handlers->process<Phase::response_body>(set);
        const auto result = play(Service(handlers), modes(mode, allowed), told);
        const std::string body = replaces && mode != BodySendMode::none ? "longer" : "body";
        expect_fitting(result, body);
        if (mode != BodySendMode::buffered) continue;
        const bool right = length == std::to_string(body.size());
        EXPECT_EQ(tells_of_length(result), !right);
        // Set by the processor, or by the library where there was one.
        EXPECT_EQ(result.caller_header("content-length") != nullptr, right || told);
      }
    }
  });
}

TEST(SetLength, WithTheHeaders) {
  for_each_setting([](BodySendMode mode, bool allowed, bool told) {
    for (const char* length : {"3", "4"}) {
      for (const bool handles : kAnswered) {
        for (const bool appends : kAnswered) {
          SCOPED_TRACE(std::string(length) + (handles ? " handles" : "") +
                       (appends ? " appends" : ""));
          const auto set = [&](auto&, auto&, auto&, HeadersResponse& r) {
            appends ? r.append_header("Content-Length", length)
                    : r.set_header("Content-Length", length);
          };
          const auto keep = [](auto&, auto&, auto&, BodyResponse&) {};
          auto handlers = std::make_shared<Handlers>("P");
          handlers->process<Phase::request_headers>(set);
          handlers->process<Phase::response_headers>(set);
          if (handles) {
            handlers->process<Phase::request_body>(keep);
            handlers->process<Phase::response_body>(keep);
          }
          const auto result = play(Service(handlers), modes(mode, allowed), told);
          expect_fitting(result, "body");
          const bool kept =
              !handles || mode == BodySendMode::none || mode == BodySendMode::buffered;
          const bool right = told && !appends && std::string_view(length) == "4";
          EXPECT_EQ(tells_of_length(result), !(kept && right));
          if (kept && told && (mode == BodySendMode::none || mode == BodySendMode::buffered)) {
            EXPECT_NE(result.caller_header("content-length"), nullptr);
          }
        }
      }
    }
  });
}

TEST(SetLength, WithAReplacement) {
  for_each_setting([](BodySendMode mode, bool allowed, bool told) {
    for (const char* length : {"3", "8"}) {
      const auto replace = [&](auto&, auto&, auto&, HeadersResponse& r) {
        r.continue_and_replace("replaced");
        r.set_header("content-length", length);
      };
      auto handlers = std::make_shared<Handlers>("P");
      handlers->process<Phase::request_headers>(replace);
      handlers->process<Phase::response_headers>(replace);
      const auto result = play(Service(handlers), modes(mode, allowed), told);
      expect_fitting(result, "replaced");
      EXPECT_EQ(tells_of_length(result), std::string_view(length) == "3");
    }
  });
}

// Nothing follows, but in a response that tells of another.
TEST(SetLength, OfAHeadAlone) {
  struct Case {
    const char* method;
    const char* status;
    const char* length;
    bool fits;
  };
  for (const Case& c : {Case{"GET", "200", "5", false}, Case{"GET", "200", "0", true},
                        Case{"GET", "204", "5", false}, Case{"GET", "304", "5", true},
                        Case{"HEAD", "200", "5", true}, Case{"HEAD", "204", "5", false}}) {
    SCOPED_TRACE(std::string(c.method) + " " + c.status + " " + c.length);
    const auto service = one<Phase::response_headers>(
        [&](auto&, auto&, auto&, HeadersResponse& r) { r.set_header("content-length", c.length); });
    const auto result =
        testing::Envoy("").run(service, {.request = {.headers = {{":method", c.method}}},
                                         .upstream = {.headers = {{":status", c.status}}}});
    EXPECT_EQ(tells_of_length(result), !c.fits);
    EXPECT_EQ(result.caller_header("content-length") != nullptr, c.fits);
  }
  const auto service = one<Phase::request_headers>(
      [](auto&, auto&, auto&, HeadersResponse& r) { r.set_header("content-length", "5"); });
  const auto result = testing::Envoy("").run(service, {});
  EXPECT_TRUE(tells_of_length(result));
  EXPECT_EQ(result.upstream_header("content-length"), nullptr);
}

TEST(SetLength, OfAResponseWrittenPieceByPiece) {
  for (const char* method : {"GET", "HEAD"}) {
    for (const char* mode : {"NONE", "BUFFERED"}) {
      SCOPED_TRACE(std::string(method) + " " + mode);
      const auto service = one<Phase::request_headers>([](auto&, auto&, auto&, HeadersResponse& r) {
        auto& out = r.respond_streaming(200, {{"Content-Length", "3"}, {"x-a", "1"}});
        out.write("longer");
        out.finish();
      });
      const testing::Envoy envoy("processing_mode: {request_body_mode: " + std::string(mode) + "}");
      const auto result = envoy.run(service, {.request = {.headers = {{":method", method}}}});
      const bool head = std::string_view(method) == "HEAD";
      const bool pieces = std::string_view(mode) == "NONE";
      EXPECT_NE(result.caller_header("x-a"), nullptr);
      EXPECT_EQ(result.caller.body, head ? "" : "longer");
      EXPECT_EQ(tells_of_length(result), pieces && !head);
      const auto* length = result.caller_header("content-length");
      // Envoy itself sets that of a response which is collected.
      EXPECT_EQ(length == nullptr ? "" : *length, pieces ? (head ? "3" : "") : "6");
    }
  }
}

TEST(SetLength, OfAnImmediateResponseIsSetRightByEnvoy) {
  const auto service = one<Phase::request_headers>([](auto&, auto&, auto&, HeadersResponse& r) {
    r.respond(form_immediate_response(200, {{"content-length", "3"}}, "longer"));
  });
  const auto result = testing::Envoy("").run(service, {});
  EXPECT_EQ(result.caller.body, "longer");
  ASSERT_NE(result.caller_header("content-length"), nullptr);
  EXPECT_EQ(*result.caller_header("content-length"), "6");
  EXPECT_TRUE(result.violations.empty());
}

// The response that it told of is not the one that it becomes.
TEST(SetLength, OfAResponseThatGainsABody) {
  const auto status = [](const char* to) {
    return one<Phase::response_headers>(
        [to](auto&, auto&, auto&, HeadersResponse& r) { r.set_header(":status", to); });
  };
  const auto told = [](const Service& service, const char* method, const char* upstream,
                       bool ends) {
    return testing::Envoy("mutation_rules: {allow_all_routing: true}")
        .run(service, {.request = {.headers = {{":method", method}}},
                       .upstream = {.headers = {{":status", upstream}, {"content-length", "8"}},
                                    .body = ends ? std::vector<std::string>{}
                                                 : std::vector<std::string>{""}}});
  };
  for (const bool ends : kAnswered) {
    SCOPED_TRACE(ends);
    EXPECT_EQ(told(status("200"), "GET", "304", ends).caller_header("content-length"), nullptr);
    EXPECT_NE(told(status("203"), "HEAD", "304", ends).caller_header("content-length"), nullptr);
    const auto head = one<Phase::request_headers>(
        [](auto&, auto&, auto&, HeadersResponse& r) { r.set_header(":method", "HEAD"); });
    const auto result = told(head, "GET", "200", ends);
    EXPECT_TRUE(result.caller.complete);
    EXPECT_EQ(result.caller_header("content-length"), nullptr);
  }
}

// Where each of them has the right one, and the next changes the body.
TEST(SetLength, OfAChain) {
  const auto sets = [](const char* name, const char* body) {
    auto handlers = std::make_shared<Handlers>(name);
    const auto set = [body](const HttpBody& chunk, auto&, auto&, BodyResponse& r) {
      const std::string made = std::string(chunk.bytes()) + body;
      r.replace_body(made);
      r.set_header("content-length", std::to_string(made.size()));
    };
    handlers->process<Phase::request_body>(set);
    handlers->process<Phase::response_body>(set);
    return Service(handlers);
  };
  const auto adds = [](const char* name) {
    auto handlers = std::make_shared<Handlers>(name);
    const auto add = [](const HttpBody& chunk, auto&, auto&, BodyResponse& r) {
      r.replace_body(std::string(chunk.bytes()) + "++");
    };
    handlers->process<Phase::request_body>(add);
    handlers->process<Phase::response_body>(add);
    return Service(handlers);
  };
  for (const bool told : kAnswered) {
    std::vector<Service> services;
    services.push_back(adds("First"));
    services.push_back(sets("Second", "++"));
    services.push_back(adds("Third"));
    const auto result =
        play(Service(std::make_shared<Chain>(std::move(services))),
             "processing_mode: {request_body_mode: BUFFERED, response_body_mode: BUFFERED}", told);
    expect_fitting(result, "body++++++");
    EXPECT_NE(result.caller_header("content-length"), nullptr);
    EXPECT_TRUE(result.violations.empty());
  }
}

}  // namespace
}  // namespace extproc
