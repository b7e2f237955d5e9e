#include "extproc/struct.h"

#include <protozero/exception.hpp>
#include <protozero/pbf_writer.hpp>

#include "protobuf/field_reader.h"
#include "protobuf/map_reader.h"

namespace extproc {
namespace {

using protobuf::FieldReader;
using protozero::pbf_wire_type;
using protozero::pbf_writer;
using protozero::tag_and_type;

constexpr pbf_wire_type kBytes = pbf_wire_type::length_delimited;

constexpr unsigned kFields = 1;  // google.protobuf.Struct

// google.protobuf.Value
constexpr unsigned kNull = 1;
constexpr unsigned kNumber = 2;
constexpr unsigned kString = 3;
constexpr unsigned kBool = 4;
constexpr unsigned kStruct = 5;
constexpr unsigned kList = 6;

// One entry of a Struct, whose value `write` puts into a writer.
template <class Write>
void add_field(std::string& bytes, std::string_view name, const Write& write) {
  std::string value;
  pbf_writer value_writer(value);
  write(value_writer);
  pbf_writer writer(bytes);
  pbf_writer entry(writer, 1);
  entry.add_string(1, name.data(), name.size());
  entry.add_message(2, value);
}

template <class Write>
void add_value(std::string& bytes, const Write& write) {
  pbf_writer writer(bytes);
  pbf_writer value(writer, 1);
  write(value);
}

auto string_value(std::string_view value) {
  return [value](pbf_writer& to) { to.add_string(kString, value.data(), value.size()); };
}
auto message_value(unsigned field, std::string_view bytes) {
  return [=](pbf_writer& to) { to.add_message(field, bytes.data(), bytes.size()); };
}
auto boolean_value(bool value) {
  return [=](pbf_writer& to) { to.add_bool(kBool, value); };
}
auto number_value(double value) {
  return [=](pbf_writer& to) { to.add_double(kNumber, value); };
}
void null_value(pbf_writer& to) { to.add_enum(kNull, 0); }

}  // namespace

ValueView::ValueView(std::string_view bytes) {
  try {
    FieldReader reader(bytes);
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case tag_and_type(kNull, pbf_wire_type::varint):
          reader.skip();
          kind_ = Kind::null;
          break;
        case tag_and_type(kNumber, pbf_wire_type::fixed64):
          number_ = reader.get_double();
          kind_ = Kind::number;
          break;
        case tag_and_type(kString, kBytes):
          bytes_ = reader.get_bytes();
          kind_ = Kind::string;
          break;
        case tag_and_type(kBool, pbf_wire_type::varint):
          number_ = reader.get_bool() ? 1 : 0;
          kind_ = Kind::boolean;
          break;
        case tag_and_type(kStruct, kBytes):
          bytes_ = reader.get_bytes();
          kind_ = Kind::object;
          break;
        case tag_and_type(kList, kBytes):
          bytes_ = reader.get_bytes();
          kind_ = Kind::list;
          break;
        default:
          reader.skip();
      }
    }
  } catch (const protozero::exception&) {
    kind_ = Kind::null;
  }
}

std::optional<double> ValueView::number() const {
  if (kind_ != Kind::number) return std::nullopt;
  return number_;
}

std::optional<std::string_view> ValueView::string() const {
  if (kind_ != Kind::string) return std::nullopt;
  return bytes_;
}

std::optional<bool> ValueView::boolean() const {
  if (kind_ != Kind::boolean) return std::nullopt;
  return number_ != 0;
}

std::optional<StructView> ValueView::object() const {
  if (kind_ != Kind::object) return std::nullopt;
  return StructView(bytes_);
}

std::optional<std::vector<ValueView>> ValueView::list() const {
  if (kind_ != Kind::list) return std::nullopt;
  std::vector<ValueView> values;
  try {
    FieldReader reader(bytes_);
    while (reader.next(1, kBytes)) values.emplace_back(reader.get_bytes());
  } catch (const protozero::exception&) {
    return values;
  }
  return values;
}

std::optional<ValueView> StructView::find(std::string_view name) const {
  const auto value = protobuf::find_entry(bytes_, kFields, name);
  if (!value) return std::nullopt;
  return ValueView(*value);
}

std::vector<std::pair<std::string_view, ValueView>> StructView::fields() const {
  std::vector<std::pair<std::string_view, ValueView>> fields;
  protobuf::for_each_entry(bytes_, kFields, [&](std::string_view name, std::string_view value) {
    fields.emplace_back(name, ValueView(value));
  });
  return fields;
}

Struct& Struct::set(std::string_view name, std::string_view value) {
  add_field(bytes_, name, string_value(value));
  return *this;
}
Struct& Struct::set(std::string_view name, std::nullptr_t) {
  add_field(bytes_, name, null_value);
  return *this;
}
Struct& Struct::set(std::string_view name, const Struct& value) { return set(name, value.view()); }
Struct& Struct::set(std::string_view name, const List& value) {
  add_field(bytes_, name, message_value(kList, value.bytes()));
  return *this;
}
Struct& Struct::set(std::string_view name, const StructView& value) {
  add_field(bytes_, name, message_value(kStruct, value.bytes()));
  return *this;
}
Struct& Struct::set_boolean(std::string_view name, bool value) {
  add_field(bytes_, name, boolean_value(value));
  return *this;
}
Struct& Struct::set_number(std::string_view name, double value) {
  add_field(bytes_, name, number_value(value));
  return *this;
}

List& List::append(std::string_view value) {
  add_value(bytes_, string_value(value));
  return *this;
}
List& List::append(std::nullptr_t) {
  add_value(bytes_, null_value);
  return *this;
}
List& List::append(const Struct& value) {
  add_value(bytes_, message_value(kStruct, value.bytes()));
  return *this;
}
List& List::append(const List& value) {
  add_value(bytes_, message_value(kList, value.bytes()));
  return *this;
}
List& List::append_boolean(bool value) {
  add_value(bytes_, boolean_value(value));
  return *this;
}
List& List::append_number(double value) {
  add_value(bytes_, number_value(value));
  return *this;
}

}  // namespace extproc
