#include "completeness/written.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <vector>

#include "wire/oracle.h"

namespace extproc::completeness {
namespace {

namespace pb = google::protobuf;

std::string name_of(const pb::FieldDescriptor& field) {
  return field.containing_type()->name() + "." + field.name();
}

bool goes_into(const pb::FieldDescriptor& field) {
  return field.message_type() != nullptr &&
         field.message_type()->full_name() != "google.protobuf.Struct";
}

bool lists_values(const pb::FieldDescriptor& field) {
  return field.enum_type() != nullptr && field.enum_type()->name() != "StatusCode";
}

void add(const pb::Message& message, std::set<std::string>& all) {
  const pb::Reflection& reflection = *message.GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  EXPECT_TRUE(reflection.GetUnknownFields(message).empty()) << message.GetTypeName();
  for (const auto* field : fields) {
    all.insert(name_of(*field));
    if (lists_values(*field))
      all.insert(field->enum_type()->name() + "." + reflection.GetEnum(message, field)->name());
    if (!goes_into(*field)) continue;
    if (!field->is_repeated()) {
      add(reflection.GetMessage(message, field), all);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i)
      add(reflection.GetRepeatedMessage(message, field, i), all);
  }
}

void add(const pb::Descriptor& type, std::set<std::string>& all) {
  for (int i = 0; i < type.field_count(); ++i) {
    const pb::FieldDescriptor& field = *type.field(i);
    if (!all.insert(name_of(field)).second) continue;
    if (goes_into(field)) add(*field.message_type(), all);
    if (!lists_values(field)) continue;
    for (int v = 0; v < field.enum_type()->value_count(); ++v)
      all.insert(field.enum_type()->name() + "." + field.enum_type()->value(v)->name());
  }
}

}  // namespace

std::set<std::string> written(std::string_view response) {
  std::set<std::string> all;
  const auto message = wire::oracle::from_bytes("ProcessingResponse", response);
  EXPECT_NE(message, nullptr);
  if (message != nullptr) add(*message, all);
  return all;
}

std::set<std::string> all_fields() {
  std::set<std::string> all;
  add(*wire::oracle::new_message("ProcessingResponse")->GetDescriptor(), all);
  return all;
}

}  // namespace extproc::completeness
