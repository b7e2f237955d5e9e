#include "envoy/kit/header_mutation.h"

namespace extproc::testing::envoy {
namespace {

using Operation = MutationRules::Operation;

std::string field(const char* list, std::size_t index) {
  return "header_mutation." + std::string(list) + "[" + std::to_string(index) + "]";
}

class Applier {
 public:
  Applier(HeaderMap& headers, const MutationContext& context)
      : headers_(headers), context_(context) {}

  std::optional<std::string> apply(const Mutation& mutation) {
    if (mutation.remove.size() > headers_.max_count || mutation.set.size() > headers_.max_count) {
      return fail("header_mutation_operation_count_exceeds_limit", "header_mutation",
                  "more than " + std::to_string(headers_.max_count) + " headers at once");
    }
    for (std::size_t i = 0; i < mutation.remove.size(); ++i) {
      if (auto error = remove(mutation.remove[i], field("remove_headers", i))) return error;
    }
    for (std::size_t i = 0; i < mutation.set.size(); ++i) {
      if (auto error = set(mutation.set[i], field("set_headers", i))) return error;
    }
    if (headers_.byte_size() > headers_.max_bytes || headers_.size() > headers_.max_count) {
      return fail("header_mutation_result_exceeds_limit", "header_mutation",
                  std::to_string(headers_.size()) + " headers of " +
                      std::to_string(headers_.byte_size()) + " bytes are too much");
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string> remove(const std::string& option, const std::string& where) {
    if (!is_header_name(option)) {
      return fail("header_mutation_remove_contains_invalid_character", where,
                  "'" + option + "' is not a header name");
    }
    const std::string name = lower_case(option);
    if (const char* why = denial(context_.rules, Operation::remove, name, {}))
      return refuse("header_mutation_remove_headers_failed", where, name, why);
    headers_.remove(name);
    return std::nullopt;
  }

  std::optional<std::string> set(const HeaderOption& option, const std::string& where) {
    if (!option.has_header) {
      context_.record.refuse(context_.phase, "header_mutation", where,
                             "no header is given, so nothing is set");
      return std::nullopt;
    }
    const std::string name = lower_case(option.name);
    if (context_.keep_content_length_out && name == "content-length") {
      context_.record.refuse(context_.phase, "content_length", where,
                             "content-length is left out in this body mode");
      return std::nullopt;
    }
    if (!is_header_name(option.name) || !rules::is_header_value(option.raw_value)) {
      return fail("header_mutation_set_contains_invalid_character", where,
                  "'" + option.name + "' or its value has a character that headers cannot have");
    }
    if (!option.value.empty() && option.raw_value.empty()) {
      context_.record.refuse(context_.phase, "raw_value", where,
                             "value is not read, so " + name + " becomes empty: set raw_value");
    }
    const auto operation =
        option.append && headers_.get(name) != nullptr ? Operation::append : Operation::set;
    const char* why = denial(context_.rules, operation, name, option.raw_value, context_.replacing);
    if (why != nullptr) return refuse("header_mutation_set_headers_failed", where, name, why);
    option.append ? headers_.add(name, option.raw_value) : headers_.set(name, option.raw_value);
    return std::nullopt;
  }

  // What the rules deny: skipped, or an error if they say so.
  std::optional<std::string> refuse(const char* error, const std::string& where,
                                    const std::string& name, const std::string& why) {
    if (context_.rules.disallow_is_error)
      return fail(error, where, name + ": " + why + ", and disallow_is_error is set");
    context_.record.count("rejected_header_mutations");
    context_.record.refuse(context_.phase, "mutation_rules", where,
                           name + " is left as it was: " + why);
    return std::nullopt;
  }

  std::optional<std::string> fail(const char* error, const std::string& where,
                                  const std::string& text) {
    context_.record.count("rejected_header_mutations");
    context_.record.refuse(context_.phase, error, where, text);
    return error;
  }

  HeaderMap& headers_;
  const MutationContext& context_;
};

}  // namespace

std::optional<std::string> apply_mutation(const Mutation& mutation, HeaderMap& headers,
                                          const MutationContext& context) {
  return Applier(headers, context).apply(mutation);
}

}  // namespace extproc::testing::envoy
