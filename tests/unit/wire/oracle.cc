#include "wire/oracle.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/stubs/strutil.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace extproc::wire::oracle {
namespace {

namespace pb = google::protobuf;

class Schema {
 public:
  Schema() {
    // It would write a line about each broken message, and the tests have many.
    pb::SetLogHandler(nullptr);
    std::ifstream file(EXTPROC_TEST_DESCRIPTORS, std::ios::binary);
    pb::FileDescriptorSet files;
    if (!files.ParseFromIstream(&file))
      throw std::runtime_error("cannot read " EXTPROC_TEST_DESCRIPTORS);
    for (const auto& file_proto : files.file()) {
      if (pool_.BuildFile(file_proto) == nullptr)
        throw std::runtime_error("bad descriptor: " + file_proto.name());
    }
  }

  std::unique_ptr<Message> make(const std::string& name) {
    const bool whole = name.find('.') != std::string::npos;
    const auto* descriptor =
        pool_.FindMessageTypeByName(whole ? name : "envoy.service.ext_proc.v3." + name);
    if (descriptor == nullptr) throw std::runtime_error("no message " + name);
    return std::unique_ptr<Message>(factory_.GetPrototype(descriptor)->New());
  }

 private:
  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_{&pool_};
};

const pb::FieldDescriptor* field_of(const Message& message, const std::string& name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr)
    throw std::runtime_error("no field " + name + " in " + message.GetTypeName());
  return field;
}

}  // namespace

std::unique_ptr<Message> new_message(const std::string& name) {
  static Schema schema;
  return schema.make(name);
}

std::unique_ptr<Message> from_text(const std::string& name, const std::string& text) {
  auto message = new_message(name);
  EXPECT_TRUE(pb::TextFormat::ParseFromString(text, message.get())) << text;
  return message;
}

std::unique_ptr<Message> from_bytes(const std::string& name, std::string_view bytes) {
  auto message = new_message(name);
  if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return nullptr;
  return message;
}

std::string literal(std::string_view bytes) { return '"' + pb::CEscape(std::string(bytes)) + '"'; }

bool has(const Message& message, const std::string& field) {
  return message.GetReflection()->HasField(message, field_of(message, field));
}

const Message& sub(const Message& message, const std::string& field) {
  return message.GetReflection()->GetMessage(message, field_of(message, field));
}

const Message& item(const Message& message, const std::string& field, int index) {
  return message.GetReflection()->GetRepeatedMessage(message, field_of(message, field), index);
}

int count(const Message& message, const std::string& field) {
  return message.GetReflection()->FieldSize(message, field_of(message, field));
}

std::string text(const Message& message, const std::string& field) {
  return message.GetReflection()->GetString(message, field_of(message, field));
}

bool flag(const Message& message, const std::string& field) {
  return message.GetReflection()->GetBool(message, field_of(message, field));
}

int number(const Message& message, const std::string& field) {
  return message.GetReflection()->GetEnumValue(message, field_of(message, field));
}

std::int64_t integer(const Message& message, const std::string& field) {
  return message.GetReflection()->GetInt64(message, field_of(message, field));
}

double real(const Message& message, const std::string& field) {
  return message.GetReflection()->GetDouble(message, field_of(message, field));
}

std::string chosen(const Message& message, const std::string& oneof) {
  const auto* descriptor = message.GetDescriptor()->FindOneofByName(oneof);
  const auto* field = message.GetReflection()->GetOneofFieldDescriptor(message, descriptor);
  return field == nullptr ? "" : field->name();
}

}  // namespace extproc::wire::oracle
