// What libprotobuf reads from the ProcessingResponses that the codec writes.

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "wire/expect_response.h"
#include "wire/oracle.h"
#include "wire/response_writer.h"

namespace extproc::wire {
namespace {

using oracle::literal;

constexpr int kRandomAnswers = 4000;
constexpr Phase kPhases[] = {Phase::request_headers,  Phase::request_body,
                             Phase::request_trailers, Phase::response_headers,
                             Phase::response_body,    Phase::response_trailers};

std::string set_text(std::string_view name, std::string_view value) {
  return "set_headers { header { key: " + literal(name) + " raw_value: " + literal(value) +
         " } append {} append_action: OVERWRITE_IF_EXISTS_OR_ADD } ";
}

std::string append_text(std::string_view name, std::string_view value) {
  return "set_headers { header { key: " + literal(name) + " raw_value: " + literal(value) +
         " } append { value: true } append_action: APPEND_IF_EXISTS_OR_ADD } ";
}

std::string field_text(Phase phase, const std::string& content) {
  return std::string(to_string(phase)) + " { " + content + " }";
}

const Case kCases[] = {
    {"a header that overwrites",
     [](std::string& out) {
       HeadersResponse response;
       response.set_header("X-Upper", "v");
       write_headers_response(out, Phase::request_headers, response);
     },
     "request_headers { response { header_mutation { " + set_text("x-upper", "v") + "} } }"},
    {"an empty value",
     [](std::string& out) {
       HeadersResponse response;
       response.set_header("x-context-id", "");
       write_headers_response(out, Phase::response_headers, response);
     },
     "response_headers { response { header_mutation { " + set_text("x-context-id", "") + "} } }"},
    {"sets, appends and removes in order",
     [](std::string& out) {
       TrailersResponse response;
       response.append_header("a", "1");
       response.remove_headers({"b", "c"});
       response.set_headers({{"d", "\xff"}, {"e", "2"}});
       write_trailers_response(out, Phase::response_trailers, response);
     },
     "response_trailers { header_mutation { " + append_text("a", "1") + set_text("d", "\xff") +
         set_text("e", "2") + R"(remove_headers: "b" remove_headers: "c" } })"},
    {"a replaced body",
     [](std::string& out) {
       BodyResponse response;
       response.replace_body(std::string("\0new", 4));
       write_body_response(out, Phase::request_body, response);
     },
     R"(request_body { response { body_mutation { body: "\000new" } } })"},
    {"a body replaced by nothing",
     [](std::string& out) {
       BodyResponse response;
       response.replace_body("");
       write_body_response(out, Phase::response_body, response);
     },
     R"(response_body { response { body_mutation { body: "" } } })"},
    {"a cleared body",
     [](std::string& out) {
       BodyResponse response;
       response.clear_body();
       response.clear_route_cache();
       write_body_response(out, Phase::response_body, response);
     },
     "response_body { response { body_mutation { clear_body: true } clear_route_cache: true } }"},
    {"headers and body replaced at once",
     [](std::string& out) {
       HeadersResponse response;
       response.set_header(":method", "POST");
       response.continue_and_replace("body");
       response.clear_route_cache();
       write_headers_response(out, Phase::request_headers, response);
     },
     "request_headers { response { status: CONTINUE_AND_REPLACE header_mutation { " +
         set_text(":method", "POST") +
         R"(} body_mutation { body: "body" } clear_route_cache: true } })"},
    {"a streamed body",
     [](std::string& out) {
       write_streamed_body_response(out, Phase::request_body, {"chunk", true});
     },
     R"(request_body { response { body_mutation { streamed_response { body: "chunk" end_of_stream: true } } } })"},
    {"a streamed body without bytes",
     [](std::string& out) { write_streamed_body_response(out, Phase::response_body, {}); },
     "response_body { response { body_mutation { streamed_response {} } } }"},
    {"an immediate response",
     [](std::string& out) {
       write_immediate_response(
           out, {403, {{"Set-Cookie", "a"}, {"x", "1"}, {"set-cookie", "b"}}, "no", "denied"});
     },
     "immediate_response { status { code: Forbidden } headers { " + set_text("set-cookie", "a") +
         set_text("x", "1") + append_text("set-cookie", "b") +
         R"(} body: "no" details: "denied" })"},
    {"the least immediate response", [](std::string& out) { write_immediate_response(out, {}); },
     "immediate_response { status { code: OK } }"},
};

TEST(OracleResponses, Table) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.what);
    std::string bytes;
    c.write(bytes);
    expect_response(bytes, c.expected);
  }
}

// The answer of a handler that changes nothing.
void write_untouched(std::string& out, Phase phase) {
  switch (phase) {
    case Phase::request_headers:
    case Phase::response_headers:
      write_headers_response(out, phase, HeadersResponse());
      break;
    case Phase::request_body:
    case Phase::response_body:
      write_body_response(out, phase, BodyResponse());
      break;
    case Phase::request_trailers:
    case Phase::response_trailers:
      write_trailers_response(out, phase, TrailersResponse());
      break;
  }
}

TEST(OracleResponses, ContinueForEachPhase) {
  for (const Phase phase : kPhases) {
    std::string bytes;
    write_untouched(bytes, phase);
    expect_response(bytes, field_text(phase, ""));
  }
}

TEST(OracleResponses, EachStandsBehindWhatTheBufferHolds) {
  std::string bytes = "frame";
  write_untouched(bytes, Phase::request_body);
  write_untouched(bytes, Phase::request_trailers);
  ASSERT_TRUE(bytes.starts_with("frame"));
  // Read as one message, the later member of the oneof wins.
  expect_response(bytes.substr(5), "request_trailers {}");
}

/// Random changes, made on a response and written down as text at the same time.
class RandomAnswer {
 public:
  explicit RandomAnswer(std::mt19937_64& random) : random_(random) {}

  std::string mutate(PhaseResponse& response) {
    std::string sets;
    std::string removes;
    for (std::uint64_t i = random_() % 6; i > 0; --i) {
      const std::string name = "x-" + std::string(random_() % 200, 'n');
      const std::string value = oracle::random_bytes(random_, 20'000);
      switch (random_() % 3) {
        case 0:
          response.set_header(name, value);
          sets += set_text(name, value);
          break;
        case 1:
          response.append_header(name, value);
          sets += append_text(name, value);
          break;
        default:
          response.remove_header(name);
          removes += "remove_headers: " + literal(name) + " ";
      }
    }
    return sets.empty() && removes.empty() ? "" : "header_mutation { " + sets + removes + "} ";
  }

  std::string change_body(BodyResponse& response) {
    switch (random_() % 3) {
      case 0: {
        const std::string body = oracle::random_bytes(random_, 70'000);
        response.replace_body(body);
        return "body_mutation { body: " + literal(body) + " } ";
      }
      case 1:
        response.clear_body();
        return "body_mutation { clear_body: true } ";
      default:
        return "";
    }
  }

  template <class Response>
  std::string clear_route_cache(Response& response) {
    if (random_() % 2 == 0) return "";
    response.clear_route_cache();
    return "clear_route_cache: true ";
  }

 private:
  std::mt19937_64& random_;
};

std::string common_text(const std::string& content) {
  return content.empty() ? "" : "response { " + content + "}";
}

void check_random_answer(Phase phase, std::mt19937_64& random) {
  RandomAnswer answer(random);
  std::string bytes;
  std::string expected;
  if (phase == Phase::request_headers || phase == Phase::response_headers) {
    HeadersResponse response;
    expected = common_text(answer.mutate(response) + answer.clear_route_cache(response));
    write_headers_response(bytes, phase, response);
  } else if (phase == Phase::request_body || phase == Phase::response_body) {
    BodyResponse response;
    const std::string mutation = answer.mutate(response);
    expected =
        common_text(mutation + answer.change_body(response) + answer.clear_route_cache(response));
    write_body_response(bytes, phase, response);
    if (response.body_change() == BodyChange::replace) {
      std::string in_two;
      write_body_response_head(in_two, phase, response);
      in_two += response.body();
      EXPECT_EQ(in_two, bytes);
    }
  } else {
    TrailersResponse response;
    expected = answer.mutate(response);
    write_trailers_response(bytes, phase, response);
  }
  expect_response(bytes, field_text(phase, expected));
}

TEST(OracleResponses, ABodyMayFollowAllElse) {
  ResponseExtras extras;
  extras.dynamic_metadata.emplace_back("space", Struct().set("a", 1));
  BodyResponse response;
  response.replace_body("new");
  response.clear_route_cache();
  response.set_header("a", "1");
  std::string bytes;
  write_extras(bytes, extras);
  write_body_response_head(bytes, Phase::request_body, response);
  expect_response(bytes + "new", "request_body { response { header_mutation { " +
                                     set_text("a", "1") +
                                     R"(} body_mutation { body: "new" } clear_route_cache: true } }
                      dynamic_metadata { fields { key: "space" value { struct_value {
                        fields { key: "a" value { number_value: 1 } } } } } })");
}

TEST(OracleResponses, RandomAnswers) {
  for (int seed = 0; seed < kRandomAnswers; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    check_random_answer(kPhases[seed % 6], random);
  }
}

}  // namespace
}  // namespace extproc::wire
