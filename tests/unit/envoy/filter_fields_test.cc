// The reader of the filter's configuration, held to the fields that Envoy's descriptors have.
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "envoy/filter_reader.h"

namespace extproc::envoy_config {
namespace {

using Fields = std::vector<std::string>;

void add(const google::protobuf::DescriptorProto& message, std::map<std::string, Fields>& all) {
  for (const auto& field : message.field()) all[message.name()].push_back(field.name());
  for (const auto& nested : message.nested_type()) add(nested, all);
}

/// The fields of each message, by the message's name.
std::map<std::string, Fields> fields_by_message() {
  google::protobuf::FileDescriptorSet set;
  std::ifstream file(EXTPROC_FILTER_DESCRIPTORS, std::ios::binary);
  EXPECT_TRUE(set.ParseFromIstream(&file));
  std::map<std::string, Fields> all;
  for (const auto& one : set.file()) {
    for (const auto& message : one.message_type()) add(message, all);
  }
  return all;
}

/// Where the reader meets a message: around it, with % in its place.
struct Met {
  const char* message;
  const char* around;
  bool on_route = false;
};

TEST(FilterFields, TheReaderKnowsEachOfEnvoys) {
  const Met messages[] = {
      {"ExternalProcessor", "%"},
      {"ProcessingMode", "{processing_mode: %}"},
      {"ProcessingMode", "{allowed_override_modes: [%]}"},
      {"GrpcService", "{grpc_service: %}"},
      {"EnvoyGrpc", "{grpc_service: {envoy_grpc: %}}"},
      {"HeaderMutationRules", "{mutation_rules: %}"},
      {"RegexMatcher", "{mutation_rules: {allow_expression: %}}"},
      {"HeaderForwardingRules", "{forward_rules: %}"},
      {"ListStringMatcher", "{forward_rules: {allowed_headers: %}}"},
      {"StringMatcher", "{forward_rules: {disallowed_headers: {patterns: [%]}}}"},
      {"MetadataOptions", "{metadata_options: %}"},
      {"MetadataNamespaces", "{metadata_options: {receiving_namespaces: %}}"},
      {"HttpStatus", "{status_on_error: %}"},
      {"ExtProcPerRoute", "%", true},
      {"ExtProcOverrides", "{overrides: %}", true},
      {"ProcessingMode", "{overrides: {processing_mode: %}}", true},
      {"GrpcService", "{overrides: {grpc_service: %}}", true},
      {"HeaderValue", "{overrides: {grpc_initial_metadata: [%]}}", true}};
  const auto all = fields_by_message();
  for (const Met& met : messages) {
    ASSERT_TRUE(all.contains(met.message)) << met.message;
    for (std::string field : all.at(met.message)) {
      // Null leaves a field out, and its name is there all the same.
      for (const bool is_there : {true, false}) {
        if (!is_there) field += "_of_nobody";
        std::string text = met.around;
        text.replace(text.find('%'), 1, "{" + field + ": null}");
        std::vector<Problem> problems;
        if (met.on_route) {
          read_route_config(YAML::Load(text), problems);
        } else {
          read_filter_config(YAML::Load(text), problems);
        }
        EXPECT_EQ(problems.size(), is_there ? 0U : 1U) << text;
        for (const Problem& problem : problems) EXPECT_EQ(problem.rule, "unknown-field") << text;
      }
    }
  }
}

}  // namespace
}  // namespace extproc::envoy_config
