#include "grpc/descriptor_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <protozero/exception.hpp>
#include <protozero/pbf_writer.hpp>

namespace extproc::grpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

using Writer = protozero::pbf_writer;

std::string named(const std::string& name) {
  std::string out;
  Writer(out).add_string(1, name);
  return out;
}

std::string with(std::string content, protozero::pbf_tag_type field, const std::string& part) {
  Writer(content).add_message(field, part);
  return content;
}

std::string extension(const std::string& name, const std::string& type, std::int32_t number) {
  std::string out = named(name);
  Writer(out).add_string(2, type);
  Writer(out).add_int32(3, number);
  return out;
}

/// Two files: one with some of everything, one that imports it and a file that is not there.
std::string two_files() {
  std::string inner = with(named("Inner"), 2, named("deep"));
  std::string message = with(with(named("M"), 2, named("field")), 3, inner);
  message = with(with(message, 4, with(named("E"), 2, named("VALUE"))), 8, named("kind"));
  message = with(message, 6, extension("nested", ".a.M", 7));
  std::string first;
  Writer(first).add_string(1, "a.proto");
  Writer(first).add_string(2, "a");
  first = with(first, 4, message);
  first = with(first, 5, with(named("Top"), 2, named("ONE")));
  std::string second;
  // The package behind what is in it: a serialiser may have any order.
  second = with(second, 6, with(named("S"), 2, named("Call")));
  second = with(second, 7, extension("outer", ".a.M", 3));
  Writer(second).add_string(3, "a.proto");
  Writer(second).add_string(3, "missing.proto");
  Writer(second).add_string(2, "b");
  Writer(second).add_string(1, "b.proto");
  std::string set;
  Writer(set).add_message(1, first);
  Writer(set).add_message(1, second);
  return set;
}

TEST(DescriptorIndex, FilesAndSymbols) {
  const std::string set = two_files();
  const DescriptorIndex index(set);
  EXPECT_EQ(index.files(), 2U);
  EXPECT_THAT(index.file("a.proto"), Optional(0U));
  EXPECT_THAT(index.file("b.proto"), Optional(1U));
  EXPECT_EQ(index.file("missing.proto"), std::nullopt);
  EXPECT_THAT(index.imports(0), IsEmpty());
  EXPECT_THAT(index.imports(1), ElementsAre(0U));
  for (const char* symbol : {"a.M", "a.M.field", "a.M.Inner", "a.M.Inner.deep", "a.M.E",
                             "a.M.VALUE", "a.M.kind", "a.M.nested", "a.Top", "a.ONE"}) {
    EXPECT_THAT(index.file_of_symbol(symbol), Optional(0U)) << symbol;
  }
  for (const char* symbol : {"b.S", "b.S.Call", "b.outer"}) {
    EXPECT_THAT(index.file_of_symbol(symbol), Optional(1U)) << symbol;
  }
  for (const char* symbol : {"", "a", "M", "a.m", ".a.M", "a.M.E.VALUE", "a.proto"}) {
    EXPECT_EQ(index.file_of_symbol(symbol), std::nullopt) << symbol;
  }
  EXPECT_THAT(index.services(), ElementsAre("b.S"));
  EXPECT_EQ(set.substr(2, index.descriptor(0).size()), index.descriptor(0));
}

TEST(DescriptorIndex, Extensions) {
  const std::string set = two_files();
  const DescriptorIndex index(set);
  EXPECT_THAT(index.file_of_extension("a.M", 7), Optional(0U));
  EXPECT_THAT(index.file_of_extension("a.M", 3), Optional(1U));
  EXPECT_EQ(index.file_of_extension("a.M", 4), std::nullopt);
  EXPECT_EQ(index.file_of_extension("a.Top", 7), std::nullopt);
  EXPECT_THAT(index.extensions_of("a.M"), Optional(ElementsAre(3, 7)));
  EXPECT_THAT(index.extensions_of("a.M.Inner"), Optional(IsEmpty()));
  EXPECT_EQ(index.extensions_of("a.Top"), std::nullopt);
}

TEST(DescriptorIndex, OfANameThatIsThereTwiceTheFirstCounts) {
  const std::string twice = two_files() + two_files();
  const DescriptorIndex index(twice);
  EXPECT_EQ(index.files(), 4U);
  EXPECT_THAT(index.file("b.proto"), Optional(1U));
  EXPECT_THAT(index.file_of_symbol("a.M"), Optional(0U));
  EXPECT_THAT(index.file_of_extension("a.M", 3), Optional(1U));
  EXPECT_THAT(index.services(), ElementsAre("b.S"));
}

TEST(DescriptorIndex, OddSets) {
  EXPECT_EQ(DescriptorIndex("").files(), 0U);
  const std::string set = two_files();
  EXPECT_THROW(DescriptorIndex(std::string_view(set).substr(0, set.size() - 1)),
               protozero::exception);
  // Messages within each other without an end.
  std::string deep = named("x");
  for (int level = 0; level < 200; ++level) deep = with(named("x"), level == 199 ? 4 : 3, deep);
  std::string too_deep;
  Writer(too_deep).add_message(1, deep);
  EXPECT_THROW(DescriptorIndex{too_deep}, protozero::exception);
}

}  // namespace
}  // namespace extproc::grpc
