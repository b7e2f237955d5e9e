#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>

#include <cmath>
#include <limits>

#include "wire/oracle.h"

namespace extproc::wire::oracle {
namespace {

namespace pb = google::protobuf;
using Random = std::mt19937_64;
using Field = pb::FieldDescriptor;

std::size_t below(Random& random, std::size_t limit) {
  return static_cast<std::size_t>(random() % limit);
}
bool chance(Random& random, std::size_t one_in) { return below(random, one_in) == 0; }

// Short mostly, and now and then past the lengths at which a length takes another byte.
std::size_t random_size(Random& random, std::size_t limit) {
  return below(random, (chance(random, 8) ? limit : std::min<std::size_t>(limit, 12)) + 1);
}

// A protobuf `string` is UTF-8.
std::string random_text(Random& random) {
  static constexpr const char* kCharacters[] = {"a",  "Z",  "-", ":",  " ",
                                                "\n", "\0", "é", "漢", "🙂"};
  std::string text;
  for (std::size_t i = random_size(random, 200); i > 0; --i)
    text += kCharacters[below(random, std::size(kCharacters))];
  return text;
}

// Values of all lengths as varints.
std::int64_t random_integer(Random& random) {
  return static_cast<std::int64_t>(random() >> below(random, 64));
}

double random_double(Random& random) {
  static constexpr double kValues[] = {0.0, -0.0, 1.5, -1e300,
                                       std::numeric_limits<double>::infinity()};
  return kValues[below(random, std::size(kValues))];
}

int random_enum(const Field& field, Random& random) {
  const auto* type = field.enum_type();
  if (chance(random, 8)) return static_cast<int>(below(random, 1000)) - 500;
  return type->value(static_cast<int>(below(random, static_cast<std::size_t>(type->value_count()))))
      ->number();
}

class Filler {
 public:
  Filler(Message& message, Random& random, int depth)
      : message_(message), reflection_(*message.GetReflection()), random_(random), depth_(depth) {}

  void fill() {
    const auto* type = message_.GetDescriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const Field& field = *type->field(i);
      // A member of a oneof that is set later clears the earlier one: each wins at times.
      if (chance(random_, field.real_containing_oneof() == nullptr ? 2 : 3)) fill(field);
    }
    if (chance(random_, 6)) add_unknown();
  }

 private:
  void fill(const Field& field) {
    const bool nested = field.cpp_type() == Field::CPPTYPE_MESSAGE;
    if (nested && depth_ == 0) return;
    if (!field.is_repeated()) {
      nested ? fill_nested(*reflection_.MutableMessage(&message_, &field)) : set(field);
      return;
    }
    for (std::size_t i = below(random_, 5); i > 0; --i) {
      // ext_proc's repeated fields are messages (maps among them), and remove_headers' strings.
      nested ? fill_nested(*reflection_.AddMessage(&message_, &field))
             : reflection_.AddString(&message_, &field, random_text(random_));
    }
  }

  void fill_nested(Message& nested) { Filler(nested, random_, depth_ - 1).fill(); }

  void set(const Field& field) {
    switch (field.cpp_type()) {
      case Field::CPPTYPE_BOOL:
        reflection_.SetBool(&message_, &field, chance(random_, 2));
        break;
      case Field::CPPTYPE_ENUM:
        reflection_.SetEnumValue(&message_, &field, random_enum(field, random_));
        break;
      case Field::CPPTYPE_INT32:
        reflection_.SetInt32(&message_, &field, static_cast<std::int32_t>(random_integer(random_)));
        break;
      case Field::CPPTYPE_UINT32:
        reflection_.SetUInt32(&message_, &field,
                              static_cast<std::uint32_t>(random_integer(random_)));
        break;
      case Field::CPPTYPE_INT64:
        reflection_.SetInt64(&message_, &field, random_integer(random_));
        break;
      case Field::CPPTYPE_UINT64:
        reflection_.SetUInt64(&message_, &field,
                              static_cast<std::uint64_t>(random_integer(random_)));
        break;
      case Field::CPPTYPE_FLOAT:
        reflection_.SetFloat(&message_, &field, static_cast<float>(random_double(random_)));
        break;
      case Field::CPPTYPE_DOUBLE:
        reflection_.SetDouble(&message_, &field, random_double(random_));
        break;
      case Field::CPPTYPE_STRING:
        reflection_.SetString(
            &message_, &field,
            field.type() == Field::TYPE_BYTES ? random_bytes(random_, 300) : random_text(random_));
        break;
      case Field::CPPTYPE_MESSAGE:
        break;
    }
  }

  // What a later Envoy might send: a new field, of each wire type.
  void add_unknown() {
    auto& unknown = *reflection_.MutableUnknownFields(&message_);
    const int number = 1000 + static_cast<int>(below(random_, 1000));
    switch (below(random_, 4)) {
      case 0:
        unknown.AddVarint(number, random_());
        break;
      case 1:
        unknown.AddFixed32(number, static_cast<std::uint32_t>(random_()));
        break;
      case 2:
        unknown.AddFixed64(number, random_());
        break;
      default:
        unknown.AddLengthDelimited(number, random_bytes(random_, 300));
    }
  }

  Message& message_;
  const pb::Reflection& reflection_;
  Random& random_;
  int depth_;
};

}  // namespace

std::string random_bytes(Random& random, std::size_t limit) {
  std::string bytes(random_size(random, limit), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

void fill(Message& message, Random& random, int depth) { Filler(message, random, depth).fill(); }

}  // namespace extproc::wire::oracle
