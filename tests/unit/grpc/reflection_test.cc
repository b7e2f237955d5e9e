#include "grpc/reflection.h"

#include <gmock/gmock.h>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "grpc/connection_fixture.h"
#include "grpc/descriptor_index.h"

namespace extproc::grpc::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Writer = protozero::pbf_writer;

constexpr protozero::pbf_tag_type kByName = 3;
constexpr protozero::pbf_tag_type kBySymbol = 4;
constexpr protozero::pbf_tag_type kByExtension = 5;
constexpr protozero::pbf_tag_type kNumbers = 6;
constexpr protozero::pbf_tag_type kList = 7;

/// c imports b and a, b imports a; each has a message, and c a service and an extension of a.A.
std::string three_files() {
  std::string set;
  Writer writer(set);
  const auto add = [&](const std::string& name, const std::vector<std::string>& imports,
                       const std::string& more) {
    std::string file;
    Writer content(file);
    content.add_string(1, name + ".proto");
    content.add_string(2, name);
    for (const std::string& import : imports) content.add_string(3, import + ".proto");
    content.add_message(4, "\x0A\x01" + std::string(1, static_cast<char>(name[0] - 'a' + 'A')));
    file += more;
    writer.add_message(1, file);
  };
  add("a", {}, "");
  add("b", {"a"}, "");
  add("c", {"b", "a"}, "\x32\x03\x0A\x01S\x3A\x0B\x0A\x01x\x12\x04.a.A\x18\x05");
  return set;
}

std::string query(protozero::pbf_tag_type field, std::string_view name) {
  std::string out;
  Writer(out).add_string(field, name.data(), name.size());
  return out;
}

std::string extension_query(std::string_view type, std::int32_t number) {
  std::string out;
  Writer writer(out);
  Writer extension(writer, kByExtension);
  extension.add_string(1, type.data(), type.size());
  extension.add_int32(2, number);
  return out;
}

/// An answer, read for people: "files a.proto b.proto", "numbers 5", "services c.S", "error 5".
std::string shown(const std::string& message) {
  std::string out;
  protozero::pbf_reader reader(message);
  const auto words = [&](std::string_view kind, protozero::pbf_tag_type field, auto of) {
    out = kind;
    auto part = reader.get_message();
    while (part.next()) {
      if (part.tag() == field) {
        out.append(" ").append(of(part));
      } else {
        part.skip();
      }
    }
  };
  const auto first_text = [](protozero::pbf_reader& part) {
    auto content = part.get_message();
    return content.next(1) ? content.get_string() : std::string();
  };
  while (reader.next()) {
    switch (reader.tag()) {
      case 4:
        words("files", 1, first_text);
        break;
      case 5:
        words("numbers", 2, [](protozero::pbf_reader& part) {
          std::string numbers;
          for (const auto number : part.get_packed_int32()) numbers += std::to_string(number) + ",";
          return numbers;
        });
        break;
      case 6:
        words("services", 1, first_text);
        break;
      case 7:
        words("error", 1,
              [](protozero::pbf_reader& part) { return std::to_string(part.get_int32()); });
        break;
      default:
        reader.skip();
    }
  }
  return out;
}

class ReflectionTest : public ConnectionTest {
 protected:
  ReflectionTest() {
    services = {&service, &reflection};
    connect();
  }

  std::int32_t open(std::string_view version = "v1") {
    return client->open_call("/grpc.reflection." + std::string(version) +
                             ".ServerReflection/ServerReflectionInfo");
  }

  /// The answer to one request on a stream of its own.
  std::string ask(const std::string& request) {
    const auto id = open();
    client->send_message(id, request, true);
    talk();
    const ClientStream& stream = client->stream(id);
    EXPECT_EQ(stream.grpc_status(), "0");
    const auto messages = stream.messages();
    return messages.size() == 1 ? shown(messages.front()) : "no one answer";
  }

  const std::string set = three_files();
  const DescriptorIndex index{set};
  ReflectionService reflection{index};
};

TEST_F(ReflectionTest, AnswersEachQuery) {
  EXPECT_EQ(ask(query(kByName, "a.proto")), "files a.proto");
  EXPECT_EQ(ask(query(kByName, "c.proto")), "files c.proto b.proto a.proto");
  EXPECT_EQ(ask(query(kBySymbol, "b.B")), "files b.proto a.proto");
  EXPECT_EQ(ask(query(kBySymbol, "c.S")), "files c.proto b.proto a.proto");
  EXPECT_EQ(ask(extension_query("a.A", 5)), "files c.proto b.proto a.proto");
  EXPECT_EQ(ask(query(kNumbers, "a.A")), "numbers 5,");
  EXPECT_EQ(ask(query(kNumbers, "b.B")), "numbers");
  EXPECT_EQ(ask(query(kList, "")), "services c.S");
  EXPECT_EQ(ask(query(kList, "*")), "services c.S");
}

TEST_F(ReflectionTest, WhatIsNotThereIsAnErrorInItsAnswer) {
  for (const std::string& request :
       {query(kByName, "d.proto"), query(kBySymbol, "a.B"), extension_query("a.A", 6),
        extension_query("b.B", 5), query(kNumbers, "c.S")}) {
    EXPECT_EQ(ask(request), "error 5");
  }
  EXPECT_EQ(ask(""), "error 12");
  EXPECT_EQ(ask("\x42\x01x"), "error 12");
}

TEST_F(ReflectionTest, AStreamGoesOnBehindAnErrorAndEndsWithItsPeer) {
  for (const std::string_view version : {"v1", "v1alpha"}) {
    const auto id = open(version);
    client->send_message(id, query(kBySymbol, "x"));
    client->send_message(id, query(kList, ""));
    talk();
    const ClientStream& stream = client->stream(id);
    EXPECT_THAT(stream.messages(), SizeIs(2));
    EXPECT_FALSE(stream.end_stream);
    client->end(id);
    talk();
    EXPECT_EQ(stream.grpc_status(), "0");
  }
  const auto other = open("v2");
  talk();
  EXPECT_EQ(client->stream(other).grpc_status(), "12");
}

TEST_F(ReflectionTest, AnAnswerHasItsRequestAndHost) {
  const auto id = open();
  std::string request = query(kList, "");
  Writer(request).add_string(1, "host");
  client->send_message(id, request, true);
  talk();
  const std::string message = client->stream(id).messages().at(0);
  protozero::pbf_reader answer(message);
  ASSERT_TRUE(answer.next(1));
  EXPECT_EQ(answer.get_string(), "host");
  ASSERT_TRUE(answer.next(2));
  EXPECT_EQ(answer.get_string(), request);
}

TEST_F(ReflectionTest, OnOneStreamAFileIsSentAgainOnlyWhenItIsAskedFor) {
  const auto id = open();
  for (const char* name : {"b.proto", "c.proto", "b.proto", "a.proto"}) {
    client->send_message(id, query(kByName, name));
  }
  talk();
  std::vector<std::string> answers;
  for (const std::string& message : client->stream(id).messages())
    answers.push_back(shown(message));
  EXPECT_THAT(answers, ElementsAre("files b.proto a.proto", "files c.proto", "files b.proto",
                                   "files a.proto"));
}

TEST_F(ReflectionTest, RequestsThatEndTheStream) {
  const auto malformed = open();
  client->send_message(malformed, "\x1A\x05x");
  const auto long_one = open();
  client->send_message(long_one, query(kByName, std::string(16 << 10, 'x')));
  const auto longest = open();
  client->send_message(longest, query(kByName, std::string((16 << 10) - 4, 'x')));
  talk();
  EXPECT_EQ(client->stream(malformed).grpc_status(), "13");
  EXPECT_EQ(client->stream(long_one).grpc_status(), "8");
  EXPECT_THAT(client->stream(longest).messages(), SizeIs(1));
}

TEST_F(ReflectionTest, AStreamHasABoundedNumberOfRequests) {
  const auto id = open();
  for (int batch = 0; batch < 10; ++batch) {
    for (int request = 0; request < 1'000; ++request)
      client->send_message(id, query(kBySymbol, ""));
    talk();
  }
  EXPECT_THAT(client->stream(id).messages(), SizeIs(10'000));
  EXPECT_FALSE(client->stream(id).end_stream);
  client->send_message(id, query(kBySymbol, ""));
  talk();
  EXPECT_THAT(client->stream(id).messages(), SizeIs(10'000));
  EXPECT_EQ(client->stream(id).grpc_status(), "8");
}

TEST_F(ReflectionTest, EndsStreamsThatAreOpenAndThatCome) {
  const auto used = open();
  client->send_message(used, query(kList, ""));
  const auto unused = open();
  const auto gone = open();
  talk();
  client->reset(gone);
  talk();
  reflection.end_streams();
  const auto late = open();
  client->send_message(late, query(kList, ""));
  talk();
  for (const auto id : {used, unused, late}) EXPECT_EQ(client->stream(id).grpc_status(), "14");
  EXPECT_THAT(client->stream(used).messages(), SizeIs(1));
  EXPECT_THAT(client->stream(late).messages(), IsEmpty());
  EXPECT_EQ(connection->open_streams(), 0U);
}

TEST_F(ReflectionTest, RequestsOfAPeerThatDoesNotReadWait) {
  limits.queued_bytes_per_stream = 1'000;
  limits.stream_window_bytes = 65'535;
  limits.buffered_bytes_per_connection = 300'000;
  ClientOptions slow;
  slow.auto_window = false;
  connect(slow);
  const auto id = open();
  const std::string longest = query(kBySymbol, std::string(10'000, 'x'));
  for (int request = 0; request < 100; ++request) {
    client->send_message(id, longest);
    talk();
  }
  // The window of the client, and no word of a limit.
  EXPECT_THAT(client->stream(id).messages(), SizeIs(6));
  EXPECT_FALSE(client->stream(id).closed);
  for (int answer = 6; answer < 100; ++answer) {
    client->consume(id, 10'100);
    talk();
  }
  EXPECT_THAT(client->stream(id).messages(), SizeIs(::testing::Gt(90U)));
}

}  // namespace
}  // namespace extproc::grpc::testing
