// A message that is kept says what it said, though all that it referred to is gone.
#include "exchange/kept_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace extproc::exchange {
namespace {

using ::testing::ElementsAre;

class Source final : public host::MessageSource {
 public:
  void store_attributes(std::string& out) const override { out.append("attributes"); }
  void store_metadata(std::string& out) const override { out.assign("metadata"); }
};

/// A message with all that one can have, and what it refers to.
struct Given {
  std::string text = "name value x-empty a body of more bytes than a string holds in itself";
  std::vector<Header> headers{{view(0, 4), view(5, 5)}, {view(11, 7), {}}};
  Source source;
  host::Message message;

  Given() {
    message.phase = Phase::request_body;
    message.end_of_stream = true;
    message.body = view(19, text.size() - 19);
    message.body_flags = {true, true, true};
    message.headers = headers;
    message.observability_mode = true;
    message.protocol_config = ProtocolConfiguration{};
    message.protocol_config->request_body_mode = BodySendMode::streamed;
    message.has_attributes = message.has_metadata = true;
    message.metadata_bytes = 8;
    message.source = &source;
  }
  std::string_view view(std::size_t at, std::size_t size) const {
    return std::string_view(text).substr(at, size);
  }
  void go() {
    text.assign(text.size(), '?');
    headers.assign(headers.size(), Header{"?", "?"});
    message = host::Message{};
  }
};

TEST(KeptMessage, SaysWhatTheMessageSaid) {
  KeptMessage kept;
  Given given;
  const host::Message& message = kept.keep(given.message, true);
  given.go();
  EXPECT_EQ(message.phase, Phase::request_body);
  EXPECT_TRUE(message.end_of_stream);
  EXPECT_EQ(message.body, "a body of more bytes than a string holds in itself");
  EXPECT_TRUE(message.body_flags.end_of_stream_without_message);
  EXPECT_TRUE(message.body_flags.grpc_message_compressed);
  EXPECT_TRUE(message.body_flags.drain_complete);
  EXPECT_THAT(message.headers, ElementsAre(Header{"name", "value"}, Header{"x-empty", ""}));
  EXPECT_TRUE(message.observability_mode);
  ASSERT_TRUE(message.protocol_config);
  EXPECT_EQ(message.protocol_config->request_body_mode, BodySendMode::streamed);
  EXPECT_TRUE(message.has_attributes);
  EXPECT_TRUE(message.has_metadata);
  EXPECT_EQ(message.metadata_bytes, 8U);
  ASSERT_NE(message.source, nullptr);
  std::string attributes = "earlier ", metadata = "earlier";
  message.source->store_attributes(attributes);
  message.source->store_metadata(metadata);
  EXPECT_EQ(attributes, "earlier attributes");
  EXPECT_EQ(metadata, "metadata");
}

TEST(KeptMessage, HasNoSourceWhereThatWasAskedAlready) {
  KeptMessage kept;
  Given given;
  EXPECT_EQ(kept.keep(given.message, false).source, nullptr);
}

TEST(KeptMessage, IsUsedAgain) {
  KeptMessage kept;
  Given given;
  kept.keep(given.message, true);
  host::Message other;
  other.phase = Phase::response_trailers;
  const Header header{"only", "one"};
  other.headers = {&header, 1};
  const host::Message& message = kept.keep(other, true);
  EXPECT_EQ(message.phase, Phase::response_trailers);
  EXPECT_EQ(message.body, "");
  EXPECT_THAT(message.headers, ElementsAre(Header{"only", "one"}));
  EXPECT_EQ(message.source, nullptr);
  kept.trim(0);
  EXPECT_THAT(kept.keep(other, false).headers, ElementsAre(Header{"only", "one"}));
}

}  // namespace
}  // namespace extproc::exchange
