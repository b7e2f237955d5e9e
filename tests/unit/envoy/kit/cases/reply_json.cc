#include "envoy/kit/cases/reply_json.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <stdexcept>
#include <string_view>

#include "envoy/kit/cases/case_file.h"
#include "wire/oracle.h"

namespace extproc::testing::cases {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::string base64(const std::string& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned bits = 0;
    const std::size_t taken = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      bits = (bits << 8U) | (k < taken ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text.push_back(k <= taken ? kDigits[(bits >> (18 - 6 * k)) & 63U] : '=');
  }
  return text;
}

std::string quoted(const std::string& text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      json.append(escaped);
    } else {
      json.push_back(c);
    }
  }
  return json + "\"";
}

bool is_number(const std::string& text) {
  char* end = nullptr;
  std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

std::string any_json(const YAML::Node& node) {
  std::string json;
  if (node.IsMap()) {
    for (const auto& entry : node)
      json +=
          (json.empty() ? "" : ",") + quoted(entry.first.Scalar()) + ":" + any_json(entry.second);
    return "{" + json + "}";
  }
  if (node.IsSequence()) {
    for (const auto& item : node) json += (json.empty() ? "" : ",") + any_json(item);
    return "[" + json + "]";
  }
  const std::string text = node.Scalar();
  if (is_plain(node) && (text == "true" || text == "false" || is_number(text))) return text;
  return quoted(text);
}

std::string message_json(const YAML::Node& node, const Descriptor& type);

std::string value_json(const YAML::Node& node, const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_MESSAGE:
      return message_json(node, *field.message_type());
    case FieldDescriptor::TYPE_BYTES:
      return quoted(base64(latin1(node.Scalar())));
    case FieldDescriptor::TYPE_STRING:
      return quoted(node.Scalar());
    case FieldDescriptor::TYPE_BOOL:
      return node.Scalar();
    default:
      return is_number(node.Scalar()) ? node.Scalar() : quoted(node.Scalar());
  }
}

std::string message_json(const YAML::Node& node, const Descriptor& type) {
  const std::string_view name = type.full_name();
  if (name.starts_with("google.protobuf.")) return any_json(node);
  std::string json;
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    const auto* field = type.FindFieldByName(key);
    if (field == nullptr) throw std::runtime_error("no field " + key + " in " + std::string(name));
    std::string value;
    if (field->is_map()) {
      value = any_json(entry.second);
    } else if (field->is_repeated()) {
      for (const auto& item : entry.second)
        value += (value.empty() ? "" : ",") + value_json(item, *field);
      value = "[" + value + "]";
    } else {
      value = value_json(entry.second, *field);
    }
    json += (json.empty() ? "" : ",") + quoted(key) + ":" + value;
  }
  return "{" + json + "}";
}

}  // namespace

std::string reply_bytes(const YAML::Node& node) {
  const auto message = wire::oracle::new_message("ProcessingResponse");
  const std::string json = message_json(node, *message->GetDescriptor());
  const auto status = google::protobuf::util::JsonStringToMessage(json, message.get());
  if (!status.ok()) throw std::runtime_error(std::string(status.message()) + " in " + json);
  return message->SerializeAsString();
}

}  // namespace extproc::testing::cases
